import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="To grok or not to grok · Memory Lab",
    html_head_file="../head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab

    return lab, mo


@app.cell(hide_code=True)
def _(lab):
    page = lab.open_page("grok-or-not")
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
            # To grok or not to grok

            A small network learns to add on a clock face, $(m + n) \bmod p$. But one label in five is wrong: drawn at random.
            It learns **both**: the rule, which answers pairs it has never seen, and the wrong labels, one by one.

            The two memories sit in different neurons. Neurons whose weights are a **wave** around the clock hold the rule;
            neurons without a period hold the exceptions. So the wrong labels can be forgotten and the rule kept: by weight
            decay, which takes the exceptions away, or by cutting those neurons out. Too much decay takes the rule as well.
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
    ## Four things a network can do with wrong labels

    The network has no biases and squares as its activation:

    $$f(m, n) = W\,\varphi(U e_m + V e_n)$$

    $$\varphi(z) = z^2$$

    It is trained on a share $\alpha$ of all $p^2$ pairs, of which a share $\xi$ has labels drawn at random. At every step AdamW
    multiplies all weights by $1 - 0.01 \cdot \text{decay}$.

    - **Coexistence:** rule and wrong labels are both there.
    - **Partial inversion:** some wrong labels are answered with the true sum, against what the network was told.
    - **Full inversion:** nearly all are. Training accuracy is then only $1 - \xi$, and that is right.
    - **Forgetting, confusion:** the rule is gone again, or never came. Where it never came but the labels are all learned,
      the paper says **memorization**.

    **Try:** move the weight decay from 0 over 5 and 10 to 20, one run each. Then, without decay, raise the share of wrong
    labels to 0.4.
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
    lab.figure(page, live, "phase_by_decay")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Which neuron holds what

    How periodic a neuron is can be read from its weights alone. For a row $x$ of weights with Fourier coefficients $\tilde x_k$,
    the inverse participation ratio is

    $$\mathrm{IPR} = \frac{\sum_k |\tilde x_k|^4}{\left(\sum_k |\tilde x_k|^2\right)^2}$$

    It is 1 for a single wave and small for noise. A neuron's IPR is the mean over its weights in $U$, $V$ and $W$. No label is
    looked at, so it can be used where nobody knows which labels are wrong.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "histogram")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "neurons")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "weights")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Cutting memories out

    Sort the neurons by IPR and set them to zero one after the other, without training again.

    **Try:** keep the decay at 0 and, in *Cutting neurons out*, cut the half with the low IPR: in the picture of all answers the
    stripes close over the outlined cells. Then cut from the other end.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "pruning_low")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "pruning_high")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "answers")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Fading

    Under decay a memory lives only as long as the gradient renews it. A wrong label is renewed by one pair alone, the rule by all
    of them: so the wrong labels fade first.

    **Try:** for the forgetting of the rule itself, set decay 20, training share 0.9, no wrong labels, and in *The network and its
    training* $p = 31$ with 192 neurons; train for 550 steps.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "fading")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "norms")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## How much data, how many wrong labels

    **Try:** other regularisers. Dropout of 0.3 inverts most wrong labels without any decay. BatchNorm (64 pairs in a step, 1000 steps) leaves the
    neurons without a period where they are and turns their gain down: look at the strengths above.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "phase_by_data")
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

    One definition of the mechanism runs on NumPy, which a browser has, and on PyTorch. A seed is the same experiment on both;
    what differs is rounding, which a long training makes larger.
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

            The paper's figures use $p = 97$ and 500 neurons; *Paper size* runs that, with one of its phase diagrams. Here
            $p = 37$ and 128 neurons show the same phases in a second. Two things differ. BatchNorm turns the neurons without a
            period down here, too, but not far enough to invert; in the paper it reaches full inversion. And the best decay for
            understanding early lies in between, near 5 in these networks: that is a finding of this page, not of the paper.

            At $\xi = 0$ there is nothing wrong to keep, and a network that knows the rule is shown as coexistence. Below
            $\xi = 0.15$ the paper's bands of training accuracy overlap, and here the share of wrong labels kept decides.
            """),
            lab.reference(page),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
