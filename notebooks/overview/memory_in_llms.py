import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="The map of memory · Memory Lab",
    html_head_file="../head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab
    from mem_core.lab import evaluation_card, memory_map

    return evaluation_card, lab, memory_map, mo


@app.cell(hide_code=True)
def _(evaluation_card, lab):
    page = lab.open_page("memory-in-llms")
    frames, news = page.frames, page.news
    claims, exercise, engines = lab.ClaimBoard(page), lab.ExerciseBoard(page), lab.EngineBoard(page)
    cards = evaluation_card.CardBoard(page)
    lab.sheet()
    return cards, claims, engines, exercise, frames, news, page


@app.cell(hide_code=True)
def _(lab, mo, page):
    mo.vstack(
        [
            lab.place(page),
            mo.md(r"""
            # The map of memory

            Forty mechanisms remember in forty ways. A survey gives them one language: a **memory** is a state that was
            written earlier, can be addressed later, and then changes what a model answers. This page uses that language
            twice. First as a **map**: of each mechanism, what kind of memory it is, where it lives, how long it lasts,
            how it is written and read, and what makes it forget. Then as a small **system that works**: the same facts
            sit in weights, in an index and at a live source, while the world goes on changing.

            Everything here is simulated and small, and runs in a second. The survey runs no experiment of its own.
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
    ## Four types, in this order

    The survey's rules (section 3.2), the first that applies deciding; their order is ours:

    1. Still recalled with retrieval, tools and caches off: **parametric**, in the weights.
    2. Usable only while it is in the context or cache: **contextual**.
    3. Depends on what an index returns, and can cite the passage: **external**.
    4. Needs events of earlier turns or sessions replayed: **procedural or episodic**.

    What a tool returns once, inside one turn, is no memory. Nor is a prompt that somebody pasted an external one. A
    retriever or a cache counts only if what it returns enters the answer and changes it, time after time.

    **Try:** the quiz under *Which type is it?* at the controls. Switch on that it is still recalled with retrieval off:
    why does nothing else matter then?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "map")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    The same map, row by row: the **quadruple** of where it lives, how long it lasts, by what path it is written and
    read, and by what handle it can be made to forget. The types are read from the papers' abstracts by us.
    """)
    return


@app.cell(hide_code=True)
def _(memory_map, mo):
    rows = memory_map.filters()
    mo.vstack([rows])
    return (rows,)


@app.cell(hide_code=True)
def _(memory_map, rows):
    memory_map.table(rows.value)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## One question, three regimes

    200 facts have one of 12 values each. A share $q_1$ changes between training and the day an **index** is made, and a
    share $q_2$ between that day and the question. The same question is then asked three times (section 4.1.2):

    - **PO**, parameters only. A matrix fitted to the facts at training, by ridge regression with $\gamma = 0.1$, is
      asked with the exact key.
    - **Offline**, a frozen index. The nearest of 400 keys by cosine answers, 200 of them distractors, with the value
      of the day it was made. The question is blurred: $q = k + \sigma g$, with $g$ of expected length 1.
    - **Online**, a live source. The same search, with today's value.

    If every read is perfect, PO is right about $(1-q_1)(1-q_2) + q_1 q_2/11$, Offline about $1 - q_2$, Online about
    everything. So "accuracy 0.80" means nothing without its regime and its date.

    **Try:** raise $q_2$: only Online keeps up. Raise $q_1$ instead: who suffers now? Then raise the noise.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "outcomes_all")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "outcomes_changed")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "outcomes_unchanged")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Forgetting by standing still

    Neither the weights nor the index lose anything here. The world moves away from them: in each period a share $q_2$
    of the facts changes, and what was stored is no longer true. The share of a perfect index that still is falls as

    $$p(k) = \tfrac{1}{12} + \tfrac{11}{12}\left(1 - \tfrac{12}{11}\,q_2\right)^k,$$

    down to one in twelve, what chance alone makes true again. In the first period the weights lose $q_1$ instead.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "ageing")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Correctness and attribution, together

    An answer is **attributed** if the passage that it cites is the one of the fact asked for. With much noise the search
    finds another, and one in twelve of those has the right value by luck. Correctness alone cannot tell; so report both.

    **Try:** set the noise to 2.5. How much of what is right is luck? Then raise *Refuse below* and
    follow the large points: whose risk falls with its coverage, and whose does not?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "attribution")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "risk")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Is the difference real?

    Systems are compared **on the same worlds**, pair by pair (section 4.1.5). The sign-flip test asks how often a
    difference this large would come about if the two regimes could be swapped in every world. Three comparisons are
    three chances of a false alarm, so Holm's method raises the three p-values. No model judges the answers here; where
    one does, the survey asks for its agreement with other judges (Cohen's κ).

    **Try:** set the worlds to 1, then to 5. With five pairs the smallest p that is possible at all is 2/32.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "differences")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## An edit, and the gate it must pass

    Another system holds 80 facts, four about each of 20 subjects, in one matrix $W$; subjects of one group have similar
    keys. Some facts get a new answer, all in one change:

    $$\Delta = (K^\top K + \lambda C)^{-1} K^\top R$$

    with $K$ the keys that are edited, $R$ what their answers lack, and $C$ what is spared: the identity, which spares
    all directions alike, or $\mathbb{E}[k^\top k]$, the covariance of the keys there are. It is then measured by
    **success** (the edits are answered as wanted), **locality** (all other answers are as before), **drawdown**
    (accuracy that the others lost) and success on **reworded** questions, which the paper calls generalisation. The
    gate asks for the first three; its thresholds are the paper's examples (section 5.4.4), and yours to set. What fails
    is rolled back, bit by bit, and goes on record in a **certificate** of seven parts.

    The covariance is estimated from 500 other subjects, as one would take it from general text. It must not come from
    the 80 keys alone: they leave 80 of 160 dimensions free, in which an edit could do anything, and reworded questions
    lie there in part.

    **Try:** take the identity with $\lambda$ at 1: every edit succeeds, and who pays? Then the covariance with 16 edits:
    at $\lambda = 5$ every edit succeeds, and in some seeds one or two of 64 other answers change; at 80 none does; at
    200 it protects so much that hardly an edit is written. Last, let a refused edit go to the *external overlay*. What
    does it gain, and which questions does it miss?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "edits")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "trade_off")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "decision")
    return


@app.cell(hide_code=True)
def _(cards, frames, live):
    frames()
    cards.certificate(live)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## Where in the context it stands

    What a model reads in a long context it uses best at the beginning and at the end. The curve below is **simulated,
    with its shape put in by hand**: it shows how such a curve is scored and is no finding. Paste your own under
    *Reading from a long context*.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "position")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## The evaluation card

    One score for everything hides what matters. The card has five dimensions in three regimes, with 95 % intervals over
    the worlds; what it was asked, as of when, and by what code stand below it. That five are enough is a proposition of
    the survey (section 6, B), which it leaves open, as it does three others: that one can tell from outside where a
    piece of knowledge sits (A), that edits and deletions can be confined and verified (C), and that retrieval with a
    short context can match ultra-long reading at the same cost (D). Nothing here decides them.

    Correctness counts all questions, timeliness those about facts that changed, faithfulness the answers that the
    passage cited supports, and refusal the 50 questions that nothing stored can answer. Position robustness is 1 minus
    the drop in the middle of the curve above; PO reads no context.

    **Try:** nobody refuses at first. Set *Refuse below* to 0.6: what does it cost the weights?
    """)
    return


@app.cell(hide_code=True)
def _(cards, mo):
    picks, links = cards.picks(), cards.links()
    mo.vstack(
        [
            mo.md(
                "Put other mechanisms of the gallery on the card: choose them to have their default runs, or paste the links of runs that you made on their pages."
            ),
            picks,
            links,
        ]
    )
    return links, picks


@app.cell(hide_code=True)
def _(cards, links, picks):
    filled = cards.fill(picks.value, links.value)
    return (filled,)


@app.cell(hide_code=True)
def _(cards, filled, frames, live, news):
    filled, frames(), news()
    cards.show(live)
    return


@app.cell(hide_code=True)
def _(cards, frames, live):
    frames()
    cards.panels(live)
    return


@app.cell(hide_code=True)
def _(cards, mo):
    saved = cards.upload()
    mo.vstack(
        [
            mo.md(
                "Compare this card with one that you saved. Runs of other facts, another date or another regime are not compared: the difference could be theirs."
            ),
            saved,
        ]
    )
    return (saved,)


@app.cell(hide_code=True)
def _(cards, filled, frames, live, news, saved):
    filled, frames(), news()
    cards.compared(saved.value, live)
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

            The types, the quadruple, the chain, the regimes, the measures, the gate and the certificate are the
            survey's. The facts, the keys, the three ways to answer and all figures on this page are ours. Figures that
            the survey quotes from its sources, and that are not tested here: BERT-large recalls 74.5 % of one-to-one
            T-REx facts (P@1, LAMA); tracing finds 8.7 % average indirect effect in middle MLPs against 1.6 % in
            attention (ROME); r-ROME scores 92.22 against 89.32; editors stay below 50 % on tests of ripple effects; and
            position calibration gains up to 15 points in the middle of a context.
            """),
            lab.reference(page),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
