import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Editing facts · Memory Lab",
    html_head_file="../head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab

    return lab, mo


@app.cell(hide_code=True)
def _(lab):
    page = lab.open_page("pmet")
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
            # Editing facts

            A transformer keeps facts in its weights. The output matrix $W$ of a feed-forward layer can be read as a
            memory: the numbers that come in at the subject's last word are a **key**, and what $W$ makes of them is the
            **value** that is stored for it.

            To change one fact, find the value with which the model would say something new, and then change $W$ so
            that it gives this value for this key. All other keys should keep theirs. They cannot quite: the keys
            overlap, and with every edit the old facts lose a little.
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
    ## A model with something to forget

    Here live some people with a first and a last name. Of each it is known what they are, where they live, what they play
    and what they keep. A transformer of four blocks learns these facts from prompts of four words,

    $$\text{[context] [relation] [first] [last]}$$

    with the answer to follow. Each relation has two wordings, and any of eight words may stand in front.
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
    ## The edit

    Now some facts are changed at once, each of another person. In the map below a column is a person, and a cell is bright
    where the model gives the right answer, which for an edited fact (outlined) is the new one.

    **Try:** more edits. The outlined cells in the lower half turn bright; what else happens there? Then set the edited
    layers to 3 alone.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "facts")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## First: which value would do it?

    At the last edited layer $L$ a vector $\delta^m$ is added to what the feed-forward part gives, and a vector $\delta^a$
    to what attention gives, both at the last name. Gradient descent makes the new answer $o^*$ likely under six contexts,
    keeps what the model says about who the person is, and keeps the vectors short:

    $$\begin{aligned} \mathcal{L} ={} & \nu\,\overline{-\log p(o^*)} + \kappa\,\mathrm{KL}(p_0 \,\Vert\, p_\delta) \\ & + \omega \left( \frac{\lVert\delta^m\rVert}{\lVert m\rVert^2} + \frac{\lVert\delta^a\rVert}{\lVert a\rVert^2} \right) \end{aligned}$$

    Once the new answer is the most probable one, $\nu$ falls to a tenth, so that the other terms get their turn.

    The value to be written is $z = m + \delta^m$. The vector $\delta^a$ is thrown away: it was there so that the memory
    need not imitate attention. In this block both vectors flow into one sum and receive the same gradient, so each carries
    about half of the change.

    **Try:** lower $c$, the largest change allowed, to 0.75 (under "More about editing"). Does the new answer still get
    ahead? Then pick another person, fact or answer.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "terms")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "answers")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Then: write it

    For each edited layer in turn, with keys $K$ (a row for each edit) and a share $R$ of what is still missing:

    $$\Delta = (K^\top K + \lambda C)^{-1} K^\top R$$

    $C$ is the mean of $k^\top k$ over the keys of 2000 ordinary prompts. This is least squares: the new keys should get
    their values, and $\lambda$ says how much the others matter.

    - **Efficacy:** edits whose new answer is more probable than the true one.
    - **Generalisation:** the same in the other wording, after contexts that were not used.
    - **Specificity:** all other facts that are still answered right.
    - **Score:** the harmonic mean of the three.

    **Try:** move $\lambda$ and watch the dashed line. Where does the new begin to be lost, and where the old?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "trade")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Four ways to edit

    **PMET** is what was just described. **FFN only** leaves out $\delta^a$, so that the memory has to carry all of the
    change. **MEMIT** aims at the output of the whole layer instead of the feed-forward part's. **Fine-tuning** takes
    gradient steps on the same matrices, none of their weights moving by more than 0.03.

    **Try:** raise the number of edits to 32. Who pays most?
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
    lab.figure(page, live, "specificity")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "efficacy")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## How the change is spread over the layers

    What is missing is measured at layer $L$, and the $i$-th of $n$ layers is given a share of it: $1/\sqrt{n-i}$ in PMET,
    $1/(n-i)$ in MEMIT. The lower layers hardly change what the feed-forward part of layer $L$ itself gives, so the shares
    add up: three layers move the stream by $2.28$ times the residual with the square root, $1.83$ times with the linear
    spread. That makes up for the half that attention carried and that was thrown away.

    **Try:** all in the last layer. What becomes of efficacy?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "lengths")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Forgetting by writing

    One edit is harmless. Here is the same recipe with more and more edits at once.

    **Try:** $\lambda = 10$, and $\lambda = 1000$. Is there any $\lambda$ with which nothing is forgotten, and what does
    the model then say of the edited facts?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "retention")
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

            The paper edits GPT-J, with 6 billion weights, and GPT-NeoX, with 20 billion: ten thousand facts of the
            CounterFact data at once, over six layers, with $C$ from a hundred thousand texts. It reports for GPT-J a
            score of 86.2 for PMET and of 85.8 for MEMIT, more efficacy and generalisation and two points less
            specificity (figures reported from memory).

            The model here is small enough to be trained while you wait. What carries over is the shape of the paper's
            ablations: what the square root and the joint search are for. What does not is that PMET comes out above
            MEMIT. Here MEMIT, aiming at the whole output, reaches nearly everything at little cost, and there is no room
            left above it. A layer is edited only from 1 upwards: layer 0 has seen only the last name, and to change it
            changes everyone of that name.
            """),
            lab.reference(page),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
