import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Poisoned memory · Memory Lab",
    html_head_file="../head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab

    return lab, mo


@app.cell(hide_code=True)
def _(lab):
    page = lab.open_page("a-memguard")
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
            # Poisoned memory

            An agent with a memory does what it did before: for a new question it looks up the most similar ones it has
            answered, and imitates what was done then. An attacker who can plant a few records decides what that is. Each
            looks harmless alone; a **trigger** in the question brings them back together, and they all say the same
            wrong thing. And if the agent writes down what it did, its own wrong action is the next precedent.

            **A-MemGuard** defends with two ideas. **Consensus**: reason once from each retrieved record, and trust only
            the largest group that agrees. **Lessons**: keep every rejected line of reasoning in a second memory, and do
            not follow it the next time.

            As it opens, everything on this page is simulated: questions and lines of reasoning are random vectors,
            actions are numbers. It shows how retrieval, precedent and majorities work. It does not show how robust a real
            language model is, and its success rates are not the paper's.
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
    ## An attack that feeds itself

    Half of the questions carry the trigger. The agent retrieves the $k$ records most similar to the question; each votes
    for its action with weight $e^{8\cos}$. Then question and action become a record themselves.

    A question on topic $t$ is the vector $t + 0.35\,u + w\cdot$trigger, scaled to length 1; $u$ is a random direction.
    A planted record is such a question, with the trigger and the malicious action.

    Right answers are written back as well, and thin the poison out, so writing back helps the attack less than one might
    think: over 600 worlds by 0.07, 0.06 and 0.03 for 2, 4 and 8 planted records without a defence, and by 0.10 to 0.15
    under consensus, which poison has to outnumber first.

    **Try:** set *w* to 0: the planted records are ordinary noise and nothing happens. Switch writing back off, and watch
    the poison in the memory stand still.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "attack")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "poisoned")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## What the trigger does

    Among 120 honest records, 4 planted ones would hardly ever be the majority of 5 drawn at random. The trigger does not
    need many: all questions that carry it lie close to all records that carry it, whatever they are about.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "map")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "chance")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Consensus: who agrees with whom?

    One line of reasoning is written from each retrieved record alone, and DBSCAN groups the lines that are closer than
    *eps* (1 − cosine), two at least. Only the largest group is imitated; without any group the agent acts from its own
    knowledge. In the paper a language model writes the lines, and either a language model or this clustering judges them.
    Here a line is the vector of the record's action plus noise of the wording: the malicious line differs from the
    others *by construction*.

    **Try:** raise the noise of the wording to 1: honest lines no longer agree, and consensus rejects them. Retrieve
    *k* = 1: there is nothing to compare, so everything is rejected. Look into another round.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "paths")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "majority")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Lessons: a memory of what was rejected

    Every rejected line is kept with its question, the last 64 of them. A line that passes consensus is still dropped if a
    lesson has nearly the same line (cosine 0.8 or more) for a similar question (0.5 or more). In the released code lessons
    are matched by action alone and only warn the model; here they reject, and therefore must also match the question.

    An audit, for comparison, looks at each planted record alone, and misses 66 % of them, as detectors do in the benchmark
    that the paper cites.

    **Try:** set *a lesson applies: question* to −1, so that the action alone decides: accuracy falls. Then set *w* to 3:
    all that is retrieved is poison, it agrees with itself, and there is nothing to learn a lesson from.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "summary")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "lessons")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "accuracy")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Where each defence ends

    Each cell is a world of its own, 16 rounds long. **Try:** draw the diagram by the number of records retrieved instead:
    do more records help consensus?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "phase_none")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "phase_consensus")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "phase_lessons")
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

            Attack, consensus and lessons follow the paper and its released code; the world of vectors, the voting agent and
            the hard rejection by lessons are ours. The paper measures agents that look things up in patients' records or
            reason over encyclopedias, attacked by optimised triggers; this page has no working trigger, no prompt and no
            patient. Clinic questions, where you choose them, are sixty sentences made from templates, and their embedding
            is real where a sentence encoder is installed. A language model, where whoever runs the page has set one up,
            then writes the lines of reasoning itself: that part is real too, and the retrieval stays this page's.
            """),
            lab.reference(page),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
