import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Stability gap · Memory Lab",
    html_head_file="../head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab

    return lab, mo


@app.cell(hide_code=True)
def _(lab):
    page = lab.open_page("stability-gap")
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
            # Stability gap

            A network learns two digits, then two others, until it knows ten. It must remember the earlier ones in the
            weights that the new ones move. With **replay**, stored old pictures beside the new, it ends well, and who
            looks at the end of each task only sees mild forgetting.

            Look after *every* step, and another picture appears. Right after a new task begins the old ones are lost,
            often almost entirely, and then climb back. This is the **stability gap**: the memory is not kept, it is
            lost and learned again. A system that must be right at every moment cannot rely on it.
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
    ## Look after every step

    Each line below is the accuracy on one task, measured after every update on test pictures. The large marks are what
    is usually reported: each task when it ends. The dashed line is **min-ACC**, the mean over earlier tasks of the
    lowest accuracy since their end.

    **Try:** set *Evaluate* to *only at task ends*. Training is the same, and the gap is gone from view.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "curves")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "closeup")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## The defence comes second

    Every method follows a sum of two gradients. Under replay it is weighted,

    $$\nabla L = \alpha\,\nabla L_\text{plasticity} + (1-\alpha)\,\nabla L_\text{stability}$$

    with $\alpha$ the weight of the new task; the other methods add the two as they are. Plasticity is the
    cross-entropy of the new batch. Stability is what a method adds for the old tasks:

    - **ER** replays stored pictures: their cross-entropy.
    - **EWC** holds weights that mattered, with $F$ their importance: $\lambda \sum_p F_p (\theta_p - \theta^*_p)^2$.
    - **LwF** keeps the answers that the network gave on the new pictures before the task began.
    - **GEM** turns the new gradient until it raises the loss on no remembered task.

    When a new task begins the old ones have just been learned, so their gradient is nearly zero; for EWC and LwF,
    which measure the distance from where the network stood, it is *exactly* zero. The first steps follow plasticity
    alone. Only when damage is done does stability grow, and teaches the old tasks again.

    **Try:** lower the weight of the new task to 0.3, then raise it to 0.7. Choose *EWC* with *rotated digits*: no old
    picture is stored, and the old task still falls and climbs back. On pairs of digits neither EWC nor LwF helps,
    for both let the head forget classes that it no longer sees.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "gradients")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "closeup_gradients")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## One number for the worst case

    Let $A_n(i)$ be the accuracy on task $i$ after step $n$, $|T_i|$ the last step of task $i$, and $t$ now, while
    task $k$ is learned:

    $$\text{ACC} = \frac1k \sum_{i\le k} A_t(i)$$

    $$\text{FORG} = \frac{1}{k-1} \sum_{i<k} \bigl(A_{|T_i|}(i) - A_t(i)\bigr)$$

    $$\text{min-ACC} = \frac{1}{k-1} \sum_{i<k}\; \min_{|T_i| < n \le t} A_n(i)$$

    $$\text{WC-ACC} = \frac1k A_t(k) + \Bigl(1-\frac1k\Bigr)\,\text{min-ACC}$$

    **WF** is the windowed forgetting: for each task the largest drop within a window of evaluations in a row, then the
    mean over tasks. **WP**, windowed plasticity, is the largest rise. A short window sees only sudden drops.

    **Try:** move the window from 2 to 100. Then let GEM train beside ER, under *More about the methods*: both end
    alike, and at the first switch GEM falls all the way.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "scores")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "old_tasks")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## More memory does not close it

    With a memory of 3000 pictures nothing is thrown away, and still the old tasks fall: what is stored is not the
    problem. At the first step the replayed batch has almost no gradient, however many pictures it is drawn from.

    How far the old tasks fall depends on how different the new one is. Choose *rotated digits* and raise the
    rotation from 10° to 80°: the first fall deepens from about 0.05 to 0.25, and task ends show little of it. No class
    is new there, so the fall is more than a head that has yet to learn of new classes.
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

            The paper measures networks on MNIST, CIFAR-10, Mini-ImageNet and DomainNet after every iteration, and
            names the gap. Here the pictures are 1797 handwritten digits of 8 × 8 pixels that come with scikit-learn,
            500 of them for the tests, and the network has two hidden layers. The losses of the methods, the momentum
            that is kept from task to task, and the memory shared equally by all classes are as in the paper's code;
            sizes and learning rates are ours. Where digits are rotated, a class in another rotation has places of its
            own in the memory.

            On rotated digits EWC falls by 0.2 to 0.6 from network to network, and climbs back to within 0.02 of
            where it was; after that it fades again by about 0.08 until the task ends. GEM falls as far as replay here.
            That it can fall further, as the paper reports for Split-MNIST, is not claimed at this size.
            """),
            lab.reference(page),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
