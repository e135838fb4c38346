import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Infinite learning rate · Memory Lab",
    html_head_file="../head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab

    return lab, mo


@app.cell(hide_code=True)
def _(lab):
    page = lab.open_page("infinite-lr")
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
            # Infinite learning rate

            A model learns one data set, then the next, then a third. What it remembers of the first lies in the same
            weights that the others now move. **Repeated cosine annealing** ends each data set at a tiny rate and must
            warm up again to learn the next: that high rate burns what was written before.

            The **infinite schedule** warms up once, cools down to a moderate rate and stays there, through all data
            sets and for as long as one likes. When a finished model is wanted, a *copy* is annealed. Old data fade
            slowly instead of in bursts; the price is that each new data set is learned less well.
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
    ## Two schedules, three languages

    With $n$ the step, $N_w$ the end of the warmup and $N_c$ that of the cool-down, the main branch follows

    $$\eta = \eta_{\max}\,\frac{n}{N_w} \quad (n \le N_w)$$

    $$\begin{aligned} \eta = \eta_c &+ \frac{\eta_{\max}-\eta_c}{2}\bigl(1+\cos \pi u\bigr), \\ u &= \frac{n-N_w}{N_c-N_w} \quad (N_w < n \le N_c) \end{aligned}$$

    and $\eta = \eta_c$ ever after. A copy that leaves at step $N_d$ is annealed in $t_a$ steps:

    $$\eta = \eta_c\left(\frac{\eta_{\min}}{\eta_c}\right)^{(n-N_d)/t_a}$$

    The copy takes the place of the last $t_a$ steps of its task, so that both schedules have seen the same data. The
    tasks are three languages of word pairs that agree in part, learned by one model with 816 weights that all must
    share. Adam's running means are kept from task to task under both schedules.

    **Try:** lower the re-warm peak of the cosine to 0.15 and watch the jump at step 400 go.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "rates")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "first_task")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "fading")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## What the newer tasks gain

    The cosine's high rate is not spent for nothing: each new task falls further than under the constant rate. On the
    main branch the constant rate keeps some noise, and annealing a copy removes it. At the default rate there is
    little noise left, and the annealed copy is better on the *old* tasks, because it stops moving away from them, and
    a little worse on the newest. Raise the constant rate to 1, and annealing gains on every task.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "infinite_losses")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "cosine_losses")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Learning against forgetting

    Let $R_{k,j}$ be the loss on task $j$ of the checkpoint after task $k$, with $K$ tasks:

    $$\text{average} = \frac1K \sum_j R_{K,j}$$

    $$\text{forgetting} = \frac{1}{K-1} \sum_{j<K} \bigl(R_{K,j} - R_{j,j}\bigr)$$

    $$\text{learning} = \frac1K \sum_k R_{k,k}$$

    **Try:** set the sweep to *constant rate*, then to *peak rate*: a comparison at one peak alone would prove little.
    Then raise the overlap of the languages to 1: with little to forget, the cosine is ahead.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "matrix")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "scores")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "sweep")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## What remains when the comparison is fair

    The damage comes from the *high* re-warming, not from the cosine. Let the cosine warm up again to only 0.15 of its
    first peak, and it is as good as the infinite schedule or slightly better, in every seed we ran. What remains to
    the infinite schedule is that nobody needs to know how long a task will be: the main branch is the same whenever
    it ends, and a finished model is one short annealing away.

    Replay changes the order too. Keep a tenth of every earlier task and let half of each batch come from it: then
    little is forgotten under either schedule, and the cosine, which learns better, has the lower average.
    """)
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

            The paper pre-trains masked auto-encoders of pictures and language models on one large data set after
            another. The schedule, its four phases and the repeated cosine are the paper's and its parent's, arXiv
            2403.08763; the languages, their sizes and the control with a small re-warm peak are ours. *Authors* in
            the controls is the loop of the small-scale code that two of the authors published (Pauljanson002/MAE-1),
            where the main branch waits while the copy is annealed.

            The laptop preset fills in hidden patches of handwritten digits, as the paper does with pictures. There
            the gain in the average is small, about two parts in a hundred, but the same in every seed.
            """),
            lab.reference(page),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
