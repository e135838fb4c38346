import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Mixture of memories · Memory Lab",
    html_head_file="../head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab

    return lab, mo


@app.cell(hide_code=True)
def _(lab):
    page = lab.open_page("mixture-of-memories")
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
            # Mixture of memories

            A layer with linear attention keeps all it has read in **one matrix**. Every new item is added on top of the
            others, so they blur into one another, and recall falls once there are more items than a key has numbers.

            Here there are several matrices, and a **router** sends each item to only a few of them. The others are not
            touched: they do not take the item in, and they do not fade. What is kept apart cannot blur. But a question
            only finds its answer if it is **routed to where the answer was written**.
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
    ## One memory, a larger one, or several

    Nothing is trained yet. An item is a random key $k$ of 16 numbers and one of 64 values $v$. A memory $S_m$ writes it by
    the linear rule, but only if the router chose it:

    $$\begin{aligned} S_m &\leftarrow \alpha\,S_m + k\,v^{\top} & m &\in I \\ S_m &\leftarrow S_m & m &\notin I \end{aligned}$$

    The router gives every memory a share of the item and keeps the $k$ largest, scaled to a sum of 1; what it looks at,
    $x$, is here the key itself. All items are then asked for with their keys, $q = k$, and the answers of the chosen
    memories are added with these weights:

    $$\begin{aligned} s &= \mathrm{softmax}(x W_{\text{router}}) \\ g_m &= s_m \Big/ \textstyle\sum_{j \in I} s_j \\ o &= \textstyle\sum_{m \in I} g_m\, S_m^{\top} q \end{aligned}$$

    Five kinds of memory read the same items: a **single** matrix; a **wide** one, whose values are $M$ times as wide, so
    that it has as many numbers as the mixture; the **mixture**; the mixture **with a shared** memory that takes in every
    item; and a mixture whose router has **collapsed** and sends all items to the same place.

    **Try:** raise the number of memories $M$ and watch the knee of the mixture move to the right. Then choose the delta
    rule: what happens to the wide memory, and why not to the mixture?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "recall")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    Making one memory larger helps, but keeping items apart helps more. The curve of the collapsed router lies exactly on
    that of the single memory: several memories are worth nothing if they are not used.

    ## How the first items fade

    No item is ever taken out. The first eight fade because others are written over them, and in the mixture only those
    others count that went to the same memory.

    **Try:** lower the decay $\alpha$ to 0.95. The single memory forgets with every item; each memory of the mixture only
    with its own.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "forgetting")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Who goes where

    The router of the first sequence. The balance loss multiplies how many items a memory gets with how probable it was, and
    adds up:

    $$M \sum_m f_m\,P_m$$

    It is $k$ for an even router and at most $M$. In training it is added to the loss, so that no memory lies idle.

    **Try:** set the router to "query at random". Items are as well kept apart as before, but each question goes anywhere.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "routes")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "load")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## One answer, taken apart

    The value that fits the answer best is taken for right. The right value competes with the best of all wrong ones, which
    is made of nothing but interference.

    **Try:** under "Closer look", move through the items. Which memories fail, and on which of them?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "answer")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## The same, trained

    In a model, all of it is learned: keys, values, gates and the router. Here a layer for each kind of memory was trained
    on sequences of 24 pairs followed by questions, with keys of only 8 numbers. It writes by the gated delta rule,

    $$\begin{aligned} S &\leftarrow \alpha_t\,S \\ S &\leftarrow S + \beta_t\,k_t\,(v_t - S^{\top} k_t)^{\top} \end{aligned}$$

    and each memory of the mixture ($M = 4$, $k = 2$) has key, value and gate weights of its own. The wide memory has
    values three times as wide: what the mixture with its shared memory reads for one token.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "layer_recall")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    Without training, a shared memory hurt: it is the overfull single memory, added to the answer in full. Now it is what
    the mixture needs. The value is written at a token that shows the value, and the question shows the key: the router
    never sees both, so some questions are sent to memories that do not hold the answer. The shared memory catches them.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "meeting")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    **Try:** under "The trained layer", choose to train here with $k = 1$ and the mixture alone. Most of what it wrote it
    never finds again.
    """)
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

            The paper trains language models of 380 million and 1.3 billion parameters with four memories, two choices a
            token and a shared memory in each of 24 layers, and compares them on tasks that ask for facts out of a long
            text. Here two small experiments stand in for them: random items without any training, in which only
            separation is at work, and one layer on associative recall.

            Two things differ from the released code. It lets a short convolution of four tokens run over queries, keys
            and values, and gates the output; this layer takes its keys from one token before and has no gate. And it
            draws the first decay of many heads at random, where this one head starts at $\alpha \approx 0.99$. More
            memories are not always better once trained, so no claim here says so.
            """),
            lab.reference(page),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
