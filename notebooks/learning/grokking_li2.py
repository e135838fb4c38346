import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Grokking · Memory Lab",
    html_head_file="../head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab

    return lab, mo


@app.cell(hide_code=True)
def _(lab):
    page = lab.open_page("grokking-li2")
    frames, news = page.frames, page.news
    claims, exercise, engines = lab.ClaimBoard(page), lab.ExerciseBoard(page), lab.EngineBoard(page)
    lab.sheet()
    return claims, engines, exercise, frames, news, page


@app.cell(hide_code=True)
def _(lab, mo, page):
    mo.vstack(
        [
            lab.place(page),
            mo.md(r"""
            # Grokking

            A small network learns to add on a clock face: $(a + b) \bmod M$. After ten steps it has every training pair right
            and knows nothing about the others. It has **memorised**. Hundreds of steps later, with nothing new to see, the
            other pairs turn right as well: it has **understood**.

            What happens in between is slow and hidden. Weight decay keeps a gradient flowing to the hidden layer after the
            training loss is gone, and unit by unit the hidden layer turns from noise into waves, the shape in which adding on a
            circle is easy. The memorised solution is what fades.
            """),
        ]
    )
    return


@app.cell(hide_code=True)
def _(lab, page):
    controls = page.controls()
    lab.panel(controls)
    return (controls,)


@app.cell(hide_code=True)
def _(controls, page):
    live = page.run(controls.value)
    return (live,)


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.status(page, live)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## From memorising to understanding

    The network has no biases and squares as its activation:

    $$\hat Y = \sigma(XW)\,V, \qquad \sigma(z) = z^2$$

    $$x = \text{one-hot}(a) \oplus \text{one-hot}(b)$$

    It is trained on a share of all $M^2$ pairs, all at once, by Adam with weight decay $\eta$.

    **Try:** treble the weight decay and see how much earlier the jump comes. Set it to zero: what does the hidden layer
    do then? Give the network fewer pairs: from which share on does it never understand?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "accuracy")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "loss")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "movement")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Noise turns into waves

    While units still learn independently, each climbs an energy of its own, and for all $M^2$ pairs that energy has a
    closed form in the Fourier coefficients of its two halves $u$ and $v$:

    $$E(w) = \tfrac12\lVert \tilde Y^\top \sigma(Xw)\rVert^2 = \frac{2}{M}\sum_{k=1}^{M-1} |\hat u_k|^2\,|\hat v_k|^2$$

    On $\lVert w\rVert = 1$ its peaks are pure waves of a single frequency, with $E = M/4$. Two frequencies mixed are always
    lower, so a unit has to choose.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "features")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "unit")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "unit_spectrum")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "coupling")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "energy")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## How much data is enough?

    The peaks that generalise survive if about $M \ln M$ of the $M^2$ pairs are seen: a share of $c\,\ln(M)/M$. Each run
    of yours is a point on the map.

    **Try:** change modulus and training share and fill the map on both sides of the curve.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "grok_map")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "boundary")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## What the paper says, and what this run shows
    """)
    return


@app.cell(hide_code=True)
def _(claims, frames, live, news):
    frames(), news()
    claims.show(live)
    return


@app.cell(hide_code=True)
def _(mo, page):
    mo.md(f"""
    ## Exercise: answer first, then run

    {page.mechanism.exercise.question}
    """)
    return


@app.cell(hide_code=True)
def _(exercise):
    answer = exercise.answer()
    answer
    return (answer,)


@app.cell(hide_code=True)
def _(answer, exercise):
    sent = exercise.grade(answer.value)
    return (sent,)


@app.cell(hide_code=True)
def _(exercise, news, sent):
    sent, news()
    exercise.verdict()
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## The same run on every engine

    One definition of the mechanism runs on NumPy, which a browser has, and on PyTorch. A seed is the same experiment
    on both; what differs is rounding, which a long training makes larger.
    """)
    return


@app.cell(hide_code=True)
def _(engines, live, news):
    news()
    engines.show(live)
    return


@app.cell(hide_code=True)
def _(lab, mo, page):
    mo.vstack(
        [
            mo.md(r"""
            ## The code of this page
            """),
            lab.source(page),
            mo.md(r"""
            ## Where this comes from

            The paper's figures use $M = 71$ and 2048 hidden units; *Paper size* runs that. Here $M = 23$ and 256 units show the
            same three stages in seconds. Its proof of the peak's height drops a factor (it prints $M/16$); the value here, $M/4$, is
            exact and measured above. "No grokking without decay" holds at the default share and width; with more pairs and fewer
            units the network understands without decay too, and the paper says as much (§8): decay is one way, not the only one.
            """),
            lab.reference(page),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
