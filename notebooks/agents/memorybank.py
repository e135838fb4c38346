import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Forgetting curves · Memory Lab",
    html_head_file="../head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab

    return lab, mo


@app.cell(hide_code=True)
def _(lab):
    page = lab.open_page("memorybank")
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
            # Forgetting curves

            In 1885 Hermann Ebbinghaus learned lists of syllables and learned them again later: after 20 minutes, an hour, a
            month. What he measured are **savings**, the share of the work that the second learning does not need. They fall
            fast at first and then hardly at all.

            **MemoryBank** gives the memory of a language-model agent such a curve. Each piece of a dialogue has a strength
            $S$ and a retention $R = e^{-t/S}$, $t$ days after it was last recalled; a recall adds 1 to $S$ and sets $t$
            back to 0. What is never recalled is sooner or later forgotten.

            Three questions: is the curve people have an exponential? What does forgetting by such a rule keep? And does it
            matter *when* you recall?
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
    ## What Ebbinghaus measured

    | time since learning | Ebbinghaus 1885 | Mack | Seitz | Dros |
    |---|---|---|---|---|
    | 20 minutes | 0.582 | 0.544 | 0.442 | 0.472 |
    | 1 hour | 0.442 | 0.432 | 0.325 | 0.373 |
    | 9 hours | 0.358 | 0.285 | 0.270 | 0.276 |
    | 1 day | 0.337 | 0.316 | 0.270 | 0.317 |
    | 2 days | 0.278 | 0.365 | 0.286 | 0.230 |
    | 6 days | 0.254 | 0.309 | 0.205 | 0.168 |
    | 31 days | 0.211 | 0.258 | 0.201 | 0.041 |

    Savings $Q(t) = (L - L_t)/L$: $L$ is the time to learn a list, $L_t$ the time to learn it again after $t$.
    Ebbinghaus, *Memory* (1885), chapter VII. Mack and Seitz: Heller, Mack and Seitz (1991); Dros: Murre and Dros,
    *PLoS ONE* 10(7) e0120644 (2015), table 3, CC BY. Savings are not the chance to recall.

    **Try:** hold out the last point and see which curve foretells it. Choose *all* learners. Or fit your own
    measurements: paste or upload a CSV with a column `delay_days` (or `delay_hours`, `delay_minutes`,
    `delay_seconds`) and a column `retention` between 0 and 1.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "fit_curves")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "fit_curves_linear")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "fit_residuals")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "fit_scores")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "fit_learners")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## An agent that forgets

    Every day some facts are told and some questions asked. A question is answered if the fact it asks for is among
    the pieces that the search brings back; each of those pieces is recalled, also the wrong ones. At night the rule of
    forgetting decides. All rules see the same facts, the same questions and the same lots.

    With **hazard** a piece survives each night with the chance $R(t)/R(t-1)$, so that it is alive after $t$ days with
    probability $R(t)$. The released code works **per load**: a piece has to survive $R(t)$ itself each time the program
    starts.

    **Try:** open *The store*, add *per load* and raise the starts per day. Then make popularity even: does it still
    pay to keep what was recalled?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "store_size")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "store_hits")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "store_policies")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "store_strength")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "store_piece")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## When you recall matters, to people

    MemoryBank adds 1 to $S$ whatever the pause before the recall. People gain more from a recall that was almost too
    late. **FSRS-6**, the scheduler of a widely used flashcard program, has a power curve and a gain that grows as
    retention falls:

    $$R(t, S) = \left(1 + F\,\tfrac{t}{S}\right)^{-w_{20}}$$

    $$S' = S\,\bigl(1 + e^{w_8}(11 - D)\,S^{-w_9}(e^{w_{10}(1-R)} - 1)\bigr)$$

    **Try:** change the days of review to 0,1,2,3 and then to 0,3,10,30,90. Whose strength notices?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "spacing_retention")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "spacing_strength")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## What the papers say, and what this run shows
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

            The rule of forgetting is the paper's (§2.3); the store with random facts, the comparison of rules at equal size
            and the hazard form are ours. The paper's own tests ask people to score dialogues, which a page cannot do: it has
            no comparison with and without forgetting, and here a store that forgets nothing always answers more.
            Dialogue texts, where you choose them, are made from templates, not written by people.
            """),
            lab.reference(page),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
