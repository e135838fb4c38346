import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Where a memory hallucinates · Memory Lab",
    html_head_file="../head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab

    return lab, mo


@app.cell(hide_code=True)
def _(lab):
    page = lab.open_page("halumem")
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
            # Where a memory hallucinates

            An agent talks with you for months. After each session it **extracts** what is worth keeping, **updates** what
            has changed, and when you ask it something it **retrieves** a few records and **answers**. It says something
            wrong about you. Which of the four steps failed?

            **HaluMem** judges each step for itself, against gold memory points: what was extracted, what of it is true,
            what became of a changed fact, what was answered. Here ten facts about each user are told, changed, and
            contradicted by the assistant; you choose what goes wrong, and see which number notices.

            What is **simulated** and what is **real**: the extractor and the answerer are dice with the rates that you
            set, not language models, and their errors are inputs, not results. The memory is real: texts, their cosines,
            a rule that overwrites what is nearly the same, a search. So are the scores.
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
    ## Four steps, each with its own score

    Each gold point scores 2 if the extracted memories cover it in full, 1 if in part, 0 if not. Each extracted memory
    scores 2, 1 or 0 for how much of it is supported. Sums run over all users; then they are divided.

    $$R = \frac{\text{gold points with score } 2}{\text{gold points}}$$

    $$wR = \frac{\sum \frac{1}{2}\,\text{score}\cdot\text{importance}}{\sum \text{importance}}$$

    $$P = \operatorname{mean}_{\text{on target}} \tfrac{1}{2}\,\text{score of the memory}$$

    $$\text{Acc} = \operatorname{mean}_{\text{all}} \tfrac{1}{2}\,\text{score of the memory}$$

    $$\text{FMR} = \frac{\text{interference points with score } 0}{\text{interference points}}$$

    $$F_1 = \frac{2PR}{P + R}$$

    **False memory resistance** (FMR) counts the wrong statements of the assistant that were *not* stored. A memory is on
    target if its slot is among the gold points of its session, whatever its value. Points that change something are
    judged apart, on ten records that a search returns: **correct** if the new value is there and the old one is gone,
    **hallucination** if a new memory says something else, **omission** otherwise.

    **Try:** raise the missed facts. Omissions grow among updates and among answers; hallucinated updates do not.
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
    lab.figure(page, live, "update")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "answer")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "kinds")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Who is to blame?

    What is lost early cannot be answered later. So each wrong answer is traced back to the first step that failed: was
    the fact extracted? Is it in the store, and nothing newer about the same slot? Did the search bring it? If all that
    is so, the answerer is to blame.

    **Try:** set missed facts to 0.3 and note the right answers. Then set missed facts, interference, corrupted facts and
    fabrications to 0 and answer errors to 0.5. About as many answers are right, and another step is to blame.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "flow")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "blame")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "wrong")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## The store, and one threshold that must fit

    A new text overwrites the stored text nearest to it if their cosine is above $\theta$. *Mia's pet is cat* should
    overwrite *Mia's pet is parrot*, and leave *Mia's best friend is Tom* alone. To the embedding these are words and
    letters in common, no more.

    **Try:** $\theta = 0.9$: nothing is ever overwritten, stale copies pile up, no update is correct, and the answers are
    as good as before, because the newest record is believed. $\theta = 0.4$: facts overwrite other facts, the answers
    collapse, and the updates look fine. Then believe only the first record: $\theta = 0.9$ with one record per search.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "store")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "cosines")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "threshold_sweep")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "retention")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## What is missed early is missed to the end

    The same users and the same dice, with one knob turned. Updates are bounded by extraction: what was not extracted
    cannot replace anything. The paper gives the same reason for its systems' omitted updates (§6.2.1).
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "miss_sweep")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Remembering more means believing more

    On HaluMem-Long, where a million tokens of other talk lie between the facts, the order of the five systems by R is
    exactly the reverse of their order by FMR. One threshold is enough for that: suppose each statement has a salience,
    $\mathcal N(1.3, 1)$ if it is true and $\mathcal N(0, 1)$ if it is interference, and is stored if that is above
    $\tau$.

    **Try:** open *More of the extractor*, choose *salience gate* and move $\tau$. The large dot wanders along the curve.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "gate")
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

    One definition of the mechanism runs on NumPy, which a browser has, and on PyTorch. The engine computes the cosines,
    in double precision and rounded to nine decimals, so that the same records tie on both.
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

            The steps, scores and verdicts are the paper's, and the formulas those of its released `evaluation.py`; the
            paper's numbers on this page are those of its Table 3 (HaluMem-Medium: 20 users, 30,073 rounds,
            14,948 memory points, 3,467 questions; HaluMem-Long: the same points among about a million tokens a user).
            Its memories are extracted and judged by language models. Here rules judge, so no judgement fails, and how a
            real model errs cannot be seen: the rates stand in for it. The world of ten slots, the threshold and the
            gate are ours. Of the paper's six kinds of questions four are here; multi-hop inference and generalization
            need a reader. The laptop size has 100 users with 120 sessions and small talk between them, as HaluMem-Long
            has; the largest size does it with a trained sentence model, if it is installed. Who has set up a language
            model (MEMORY_LAB_CHAT_URL, _KEY and _MODEL) can let it extract in the simulator's place. The paper's data
            set (CC BY-NC-ND 4.0) is neither shipped nor loaded.
            """),
            lab.reference(page),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
