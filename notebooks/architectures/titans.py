import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Learning at test time · Memory Lab",
    html_head_file="../head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab

    return lab, mo


@app.cell(hide_code=True)
def _(lab):
    page = lab.open_page("titans")
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
            # Learning at test time

            Here the memory is a small network, and its **weights** are what it remembers. It learns while it reads:
            each token brings a key and a value, and one step of gradient descent moves the network towards answering
            the key with the value.

            So writing is learning. A pair that the memory did not expect has a large gradient: **surprise** decides
            how strongly it is written, and momentum carries surprise on to the tokens that follow. Forgetting is
            **weight decay**: every token takes a little away from everything, and so makes room.
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
    ## More pairs than there is room for

    The memory is a matrix $W$ of width 16, empty at first. It reads 120 pairs of random keys and values, far more than
    it can hold. For token $t$:

    $$\begin{aligned} S_t &= \eta\,S_{t-1} - \theta\,\nabla\,\lVert W_{t-1} k_t - v_t \rVert^2 \\ W_t &= (1 - \alpha)\,W_{t-1} + S_t \end{aligned}$$

    $S$ is the surprise: that of the moment, and what momentum $\eta$ has kept of the past. The forget gate $\alpha$
    acts on the memory, not on the surprise. Beside the memory as set stand three more: without forgetting ($\alpha = 0$),
    without momentum ($\eta = 0$), and without both.

    **Try:** set the forget gate to 0. The newest pairs drown in the old ones. Now raise it to 0.2: they are fresh
    again, but how far back does the memory reach?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "ages")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "retention")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    A pair counts as recalled if the answer is nearer to its value than to any other in the stream. The newest pair is
    not the best known: with momentum, most of its step is still to come.

    ## How much to forget

    The same stream, read under every forget gate and with four momenta.

    **Try:** raise the step size to 0.25. Which curve leaves the picture at the left edge, and what brings it back?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "sweep")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Surprise, and its tail

    **Try:** switch the surprise burst on: one value in the middle is four times as long. Then lower $\eta$ to 0. The
    burst itself stays as tall; what happens to its tail? Look at the ages above as well: what did it cost the others?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "surprise")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "weights")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Is depth worth it?

    One matrix can only store what is linear in the key. Two layers, $W_2\,\mathrm{silu}(W_1 k)$, can store more, but
    have to find features first. Both read pairs that follow a rule, once, and are tested on pairs they never saw. Under
    the even rule $k$ and $-k$ have the same value, which no matrix can do. The two deep memories differ in their
    momentum: $\theta = 0.02$ with $\eta = 0.5$, and $\theta = 0.01$ with $\eta = 0.8$.

    **Try:** make the rule linear (under "Is depth worth it?"). Is the deeper memory ever ahead?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "lesson")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Gates that are learned

    In a model the gates depend on the token, $(\alpha, \eta, \theta)_t = \sigma(x_t W + b)$, and ordinary training
    finds them, by gradients through the memory's own learning. Here a layer with one matrix was trained on
    associative recall: 16 pairs, 16 blanks, then 16 queries. What it learned is *how* to write; *what* it knows of a
    sequence, it learns while reading it.

    **Try:** under "Learned gates" choose to train it here, and watch what becomes of the blanks.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "gates")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "layer_recall")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "training")
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
    on both; what differs is rounding.
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

            The paper trains language models of 170 to 760 million parameters around such a memory, in three
            architectures that add attention, and reports what each part is worth. Here the memory stands alone: random
            pairs instead of language, gates that are set by hand, and one small layer whose gates are trained. With
            $\eta = \alpha = 0$ a memory of one layer is the delta rule with $\beta = 2\theta$; with $\alpha$ it is
            close to the gated delta rule, which decays before it looks at the error and not after.

            That depth pays is shown here on a rule that a matrix cannot represent; the paper shows it on the
            perplexity of language models, where memories of two layers and more were better at every length.
            """),
            lab.reference(page),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
