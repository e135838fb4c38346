import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Hidden state mixer · Memory Lab",
    html_head_file="../head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab

    return lab, mo


@app.cell(hide_code=True)
def _(lab):
    page = lab.open_page("efficientvim")
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
            # Hidden state mixer

            A text is read word after word; a picture is there all at once. So this memory has no before and after, and nothing
            in it fades with time. All $L$ tokens of a picture are **written** into $N$ states, each a weighted sum of them, and
            every token **reads** back from these states. What $N$ states cannot hold is never written: here forgetting is a
            question of capacity.

            **EfficientViM** noticed that the dear part of such a layer is neither writing nor reading but mixing the
            channels, done on every token. It mixes them on the few states instead.
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
    ## Write, mix, read

    One token for every pixel, $x \in \mathbb{R}^{D \times L}$ with $L = 64$. A small convolution makes of them what is
    written, $B$, what is read, $C$, and exponents $\Delta$, one row for each state. Then

    $$\begin{aligned} P &= \mathrm{softmax}_{\text{tokens}}(\Delta + a) \\ h &= x\,(P \circ B)^\top \\ [u; z] &= W_{hz}\,h \\ h' &= W_o\,(u \circ \mathrm{silu}(z) + d\,u) \\ y &= h'\,C \end{aligned}$$

    $h$ and $h'$ are $D \times N$: all mixing of channels happens there. The maps below are those of the first block, each
    divided by its largest number.

    **Try:** choose another picture. Guess what *Shift a by* 20 will do, then do it; the words under the first map say
    what changed. Why?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "write")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "read")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    The vector $a$ is learned in the paper's code, yet a softmax over the tokens does not see a number that is added to all of
    them. It changes nothing, and its gradient is zero: what moves it is rounding.

    ## How many states are enough?

    This page trains a model before your eyes: 4 epochs take a second or so on a laptop and some six seconds in a browser,
    and end near 82 % to 85 %. That is **not** where such models end up. For that it takes 12 epochs; the line shows what
    they reach, for each $N$, over three seeds, **recorded** with the code of this page (date, engine and command are under
    the chart).

    **Try:** set $N$ to 1, then to 25, and watch your own point. Set *Epochs* to 12, which takes three times as long, and
    it should come to lie on the line. To measure the whole line yourself, choose *measure here* under *Costs and the
    sweep*: about half a minute on a laptop, three to five minutes in a browser.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "sweep")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "learning")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## The classifier listens to the states

    **Multi-stage fusion:** each block's states $h'_s$ have a head of their own, beside that of the last tokens, and the
    model's answer is their weighted sum,

    $$\text{logits} = \sum_s \hat\beta_s\,\mathrm{Head}_s\big(\mathrm{mean}\,\mathrm{LN}(h'_s)\big)$$

    with $\hat\beta$ the softmax of a few learned numbers. Here it gains about a point with 16 channels, which is no more
    than seeds differ by, so the page shows it and claims nothing.

    **Try:** two blocks. Whom does the classifier listen to? Then switch the fusion off.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "stages")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## What it costs

    | part | in hidden states | on tokens |
    | --- | --- | --- |
    | $B, C, \Delta$ | $3LDN + 27LN$ | the same |
    | write, read | $2LDN$ | the same |
    | mix | $3ND^2$ | $3LD^2$ |

    **Try:** raise the grid. Which bars grow? Then raise $D$: the gap between the lines widens. Then $N$: it closes.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "costs")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "parts")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    Operations are not yet time. Below both layers are timed on your machine, from $B$, $C$ and $\Delta$ on. With few
    tokens, calling a function costs more than what it computes, and the comparison says nothing.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "times")
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
    on both; what differs is rounding, which a long training makes larger. Measured times are left out of the comparison.
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

            The paper's networks have 7 to 20 million weights, three stages and pictures of 224 × 224 pixels; M1 keeps 49, 25
            and 9 states in its stages. Here a model with 4,000 weights names handwritten digits of 8 × 8 pixels, with plain
            residual paths where the paper learns how much of a layer to let in. The layer itself is the paper's. The layer on
            tokens is its baseline, NC-SSD, whose code is not published: where its gate sits is taken from Mamba-2. The sweep
            over $N$ is ours.
            """),
            lab.reference(page),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
