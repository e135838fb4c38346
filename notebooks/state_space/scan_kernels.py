import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="One scan in three ways · Memory Lab",
    html_head_file="../head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab

    return lab, mo


@app.cell(hide_code=True)
def _(lab):
    page = lab.open_page("scan-kernels")
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
            # One scan in three ways

            A fading memory is one line of arithmetic. Of the state a share $a_t$ is left, and something new is added:

            $$h_t = a_t\,h_{t-1} + b_t$$

            It looks as if nobody could know $h_t$ before $h_{t-1}$. But "multiply by $a$, then add $b$" is a step that can be
            **joined** with the next one before anybody knows the state that it will be applied to:

            $$(a, b) \text{ then } (a', b') = (a a',\; a' b + b')$$

            Joining is associative, as adding is: any grouping gives the same. A **scan** is the choice of a grouping.
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
    ## What is to be computed

    Every state is a sum of all inputs so far, each faded by the decays since. Near $a = 0$ a state is the last input; near
    $a = 1$ it is the sum of all.

    **Try:** move the decay to 0.5, then to 1. Set *how much the decay varies* to 0 and choose the constant input: where does
    the state settle? (At $1/(1-a)$.)
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "states")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "retention")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Three groupings

    In the next three pictures a row is one **round**: multiplications that do not wait for one another. Outlined cells have
    just taken something in; a yellow cell is finished. *Work* is the number of multiplications, *depth* the number of rows.

    | | work | depth |
    | --- | --- | --- |
    | loop | $L$ | $L$ |
    | tree, up and down | $\approx 4L$ | $\approx 2\log_2 L$ |
    | tree, doubling | $\approx 2L\log_2 L$ | $\log_2 L$ |
    | chunks of $Q$ | $3L - Q$ | $Q + L/Q$ |

    **Try:** double the length to 32. How many rows does each picture gain? Then move the chunk length until its picture is
    as flat as it gets: near $\sqrt{L}$.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "loop_steps")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "tree_steps")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "chunks_steps")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Why chunks may be cut anywhere

    Written out, all states together are one matrix times all inputs, $h = M b$, with

    $$M_{ts} = a_t\,a_{t-1} \cdots a_{s+1}$$

    for $s \le t$ and zero above: **attention without a softmax**. A block off the diagonal is a column times a row: what is
    left since the chunk began, times what the chunks before have handed on. One carried state stands for the whole block.

    **Try:** chunk length 1 is the loop, and a chunk of all tokens is one big block. Does any state change in between?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "matrix")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Which is fastest?

    It depends on how much a machine does at the same time. With $P$ lanes a round of $w$ multiplications takes
    $\lceil w / P \rceil$ steps. The first picture below counts them for a long input, the second asks the clock.

    The clock also sees what counting does not: that each round of a loop in Python costs microseconds however little it does,
    and how numbers lie in memory. So expect the crossings elsewhere, and the order not always the same.

    **Try:** change *chunk length in it* and watch one line move in both pictures. Give the input 512 channels: the loop does
    all of them in one round, and comes closer.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "steps")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "times")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## The same numbers, to rounding

    Another grouping rounds elsewhere, so the last digits differ. The ways scan 512 random inputs, in the precision of this
    run, and are compared with a scan in float64. *Kernel* is what the rest of this lab uses: `mem_core.kernels.linear_scan`.

    The *bound* adds up the worst that rounding can do, $\varepsilon/2$ at each of about $2\,(\text{lag} + 1 + \log_2 L)$ operations
    that an input has been through. What is exactly equal is drawn at the lowest line.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "rounding")
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

    One definition of the mechanism runs on NumPy, which a browser has, and on PyTorch. Inputs, states and counts are the same
    on both; times and rounding belong to the machine.
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

            The matrix, its blocks and the carried state are Dao and Gu's, whose Mamba-2 has one decay for all channels of a
            head, as here. They compute each diagonal block as one matrix product, because a GPU multiplies matrices many times
            faster than anything else; the loop inside our chunks does the same with fewer multiplications. The tree is
            Blelloch's (*Prefix Sums and Their Applications*, 1990), whose chapter already solves this recurrence with it; the
            form here, which counts every token into its own sum, is Brent and Kung's. Doubling is Hillis and Steele's.
            """),
            lab.reference(page),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
