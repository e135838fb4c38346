import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Scan filters · Memory Lab",
    html_head_file="../head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab

    return lab, mo


@app.cell(hide_code=True)
def _(lab):
    page = lab.open_page("longmamba")
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
            # Scan filters

            A state-space model reads token after token into a state of fixed size. Each token takes a step $\Delta_t$: a large
            step writes the token into the state, and every step, large or small, lets what was there fade a little. A thousand
            small steps add up. That is how the start of a long text is lost: by **accumulated decay, from tokens that did not
            matter**.

            **LongMamba** changes no weight. In the heads that hold on longest it sets $\Delta_t = 0$ for tokens with a small step,
            so that they neither write nor fade anything, until the total decay over a long text is what it was over the length
            the model was trained on.
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
    ## One needle in a haystack

    The model reads fillers and, somewhere in the first half, one **needle**; at the end it has to say which of eight needles
    it was. It was trained on 32 tokens. One head's state $h$ obeys

    $$h_t = e^{\Delta_t A}\,h_{t-1} + \Delta_t\,x_t \otimes B_t$$

    so that after $S$ tokens

    $$\delta(S) = e^{A \sum_t \Delta_t}$$

    is left of the first. The filter keeps $\sum_t \Delta_t$ near the value it had over 32 tokens.

    **Try:** move the test length to 512 and compare the lines. Then choose *random skip*: it skips as many tokens, but
    which ones matters. Raise $\theta$ to 0.9: which heads are still global?
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
    lab.figure(page, live, "retention")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Inside one sequence

    Below is one sequence. Heads differ in how fast they forget; only **global** heads, those that still hold their first
    token after 32 tokens, may skip. **Local** heads look a few tokens back and are left alone.

    **Try:** move the needle to the start. Choose *all heads*: what happens to the answer?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "decay")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "steps")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "answers")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Where the threshold comes from

    On sequences of the trained length the step sizes of a head are sorted, the largest few cut off, and added up to a budget
    $T$. For a longer text the same curve is stretched; its largest values are kept until they use up $T$, and the next value
    is the threshold. Nothing is learned, and no test sequence is looked at.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "threshold")
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

            The paper filters Mamba-2 with 1.3 billion parameters on texts of up to 192,000 tokens; here one Mamba-2 block with
            8,400 weights shows the same effect on 1,024. Its limits show too: the filter needs $\Delta$ to be the signal of what
            matters. Choose the task *marked value*, where values lie everywhere and only the one after a marker counts: $\Delta$
            sees one token at a time and cannot know it, and the filter hurts. The released code has other rules (*norm-scale*,
            *alpha*, *bound*); *random skip* and *all heads* are our controls.
            """),
            lab.reference(page),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
