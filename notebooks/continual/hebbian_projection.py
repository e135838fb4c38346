import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Hebbian projection · Memory Lab",
    html_head_file="../head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab

    return lab, mo


@app.cell(hide_code=True)
def _(lab):
    page = lab.open_page("hebbian-projection")
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
            # Hebbian projection

            A network learns one task, then the next, in the same weights, and forgets. But a synapse can change an old
            answer only through the part of its change that meets **old activity**. If old activity lies in a subspace,
            and a weight learns only from what lies outside of it, every old answer stays.

            Who tells the synapse where that subspace is? Here it is **neurons beside the layer**. They hear the same
            activity, learn its principal directions by a local Hebbian rule, and send back what they recognise, so
            that it is taken away from what the weights learn from. What the network answers is not touched.
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
    ## The rule: Hebbian and anti-Hebbian

    Subspace neurons with weights $H$ answer an activity $x$ with $y = Hx$ and send back $\hat x = H^\top y$:

    $$\Delta H \;\propto\; \underbrace{y\,x^\top}_{\text{Hebbian}} - \underbrace{y\,\hat x^\top}_{\text{anti-Hebbian}}$$

    The first term turns a row towards what is active; the second takes away what the rows already say, and keeps
    their length at 1. This is Oja's subspace rule. With one row, it finds the direction of the most energy. The cloud
    is *not* centred: what a weight meets is the activity itself, so its mean must be protected too.

    **Try:** lower the Hebbian step to 0.01 and watch the row stop on its way.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "cloud")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Learning outside of old activity

    A weight with error $\delta$ above it and activity $x$ below learns from what the finished rows leave:

    $$x_\perp = x - H^\top H\,x$$

    $$\Delta W = -\eta\,\delta\,x_\perp^\top$$

    If $x$ lies in the span of the rows, $\Delta W\,x = 0$: the old answer is the same, whatever was learned. While a
    task is learned, the finished rows of *earlier* tasks project, and new rows learn what to protect afterwards. Errors
    still travel through the whole weights; only what a weight learns from is projected.

    Three networks learn the same digits, with the pixels shuffled anew for each task: one without protection, one with
    Hebbian neurons, one with exact principal components. No network is told which task a picture is from.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "first_task")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Every task after every task

    Let $R_{k,j}$ be the accuracy on task $j$ after task $k$, of $K$ tasks. What protection is worth is the **backward
    transfer**, what earlier tasks have gained (or lost) since they were learned:

    $$\text{ACC} = \frac1K \sum_j R_{K,j}$$

    $$\text{BWT} = \frac{1}{K-1} \sum_{j<K} \bigl(R_{K,j} - R_{j,j}\bigr)$$

    **Try:** move the subspace size to 0.3, then to 1.5. Few rows forget; many rows leave later tasks little to learn
    from.
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
def _(mo):
    mo.md(r"""
    ## What the lateral neurons know

    Forgetting grows with the energy of old activity *outside* the learned subspace. How much is inside, layer by
    layer, against the most that as many rows could capture:
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "captured")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "tradeoff")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Looking at the rows

    While the rows are orthonormal, $HH^\top$ is the identity, and nothing is taken away twice. The rule keeps it so
    by itself: for orthonormal rows $\Delta H\,H^\top = 0$. New rows start orthogonal to the old ones here. In the
    published code they do not; in a layer as narrow as ours, old and new rows then overlap, and along some directions
    the update turns round.

    **Try:** under *More about the lateral circuit*, switch the orthogonal start off and see what is stretched.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "gram")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "angles")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## What a picture leaves to learn from

    Above, a test picture as task 1 shows it; below, as the newest task does. Weights of the first layer learn only from
    the right column. The next layers hear spikes; what their weights learn from is the **trace** of the spikes,

    $$a_t = \bigl(1 - \tfrac1\tau\bigr)\,a_{t-1} + s_t$$

    with $\tau = 2$ steps.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "pictures")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "spikes")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## How fast the neurons must learn

    A direction with energy $\lambda$ is learned at a rate of step times $\lambda$, so the weakest directions come last.
    The same step means different things in layers of different activity; here it is divided by the mean energy of the
    activity, which is 20 to 60. The published code takes an absolute 0.01, or 0.001 for its input layer, and trains for
    much longer. In our short run an absolute 0.001 leaves the worst layer at about two thirds of its energy, and two to
    three times as much is forgotten. With the wider layers of the laptop preset, where the neurons hear every time step
    five times, the same 0.001 is enough: 93 % are captured. To lose 20 points there, the neurons must hear only the
    mean over time, with a step that is sixty times smaller still.
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

            The rule, its momentum and clipping, the projection and the spiking network are those of the paper and its
            code; the paper learns permuted MNIST and split CIFAR-100, and other ways to send errors back as well. The
            small digits, the relative step and the orthogonal start are ours. So are the sizes: with few inputs, a
            subspace is soon full. Exact principal components in place of the rule are, in essence, *gradient projection
            memory* (arXiv 2103.09762).

            In the browser preset the lateral neurons hear the mean over time, which is cheaper. The laptop preset
            has them hear every time step, as the paper does.
            """),
            lab.reference(page),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
