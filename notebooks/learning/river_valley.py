import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Learning-rate schedules · Memory Lab",
    html_head_file="../head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab

    return lab, mo


@app.cell(hide_code=True)
def _(lab):
    page = lab.open_page("river-valley")
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
            # Learning-rate schedules

            Training writes into the weights along two kinds of direction. Along the flat **river** it slowly stores
            what can be known for sure. Across it, on the steep **hills**, the weights only bounce: the noise of each
            batch kicks them up, the gradient pulls them back, and the bounce hides what was stored.

            A high learning rate moves fast along the river and looks bad. Lower it for a moment and the bounce dies:
            the loss drops, although almost nothing new was learned. What looked forgotten was there all along.
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
    ## A language of facts and open questions

    The model is a table of logits, one row for each context. After a **fact** exactly one token can follow: that can
    be learned. After an **open** context every token is equally likely: there is nothing to learn, only noise. The
    loss above the entropy splits exactly into the two:

    $$\begin{aligned} L(\Theta) = &\underbrace{\sum_{c\,\in\,\text{facts}} q_c\,\mathrm{KL}(P_c \,\|\, \mathrm{softmax}\,\Theta_c)}_{\text{river}} \\ + &\underbrace{\sum_{c\,\in\,\text{open}} q_c\,\mathrm{KL}(P_c \,\|\, \mathrm{softmax}\,\Theta_c)}_{\text{hill}} \end{aligned}$$

    **Try:** raise the peak learning rate to 32, then lower it to 4. Which line moves up, which moves down? Then make
    the decay fraction 0.02: is there time for the bounce to die?
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
    lab.figure(page, live, "loss")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "parts")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Several budgets from one run

    You seldom know in advance how long a run may be. **WSD** keeps one constant branch and decays a copy of it for
    each budget; the copies are thrown away. **WSD-S** decays in place and goes on from the decayed weights, so no
    step is lost. **Cyclic cosine** restarts a cosine after each budget.

    **Try:** select WSD-S and cyclic cosine as well, and compare the bars at the last budget.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "budgets")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "line")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## The valley you can see

    Two dimensions are enough for the picture: a river that falls gently along $x$ between walls that are steep
    along $y$. Gradient noise $\sigma$ acts across the valley only.

    $$L(x, y) = \frac{1}{1 + x} + \tfrac{1}{2}\gamma\,(y - a \sin x)^2$$

    Progress along the river adds up with the *sum* of all learning rates. The bounce knows only the rate of the
    moment: on a straight river its loss settles at $\eta\sigma^2 / (2(2-\eta\gamma))$, and draining it fastest means
    $1/\eta_{t+1} = 1/\eta_t + \gamma$: the inverse decay.

    **Try:** set the valley's learning rate to 0.02. Does the decay still gain anything?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "path")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "valley")
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

            The paper trains language models of 0.1 to 1.2 billion parameters; here a table of a thousand logits shows
            the same split exactly. The split into river and hill, the valley picture and the inverse decay are the
            paper's; the bigram language with 128 facts is ours. The paper's pictures of straight lines between
            checkpoints (GPT-2) show no bump between decayed ones; with the default decay ours still have a small one,
            because half of the last loss is bounce that a longer decay would drain.
            """),
            lab.reference(page),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
