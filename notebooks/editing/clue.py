import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Verified by experience · Memory Lab",
    html_head_file="../head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab

    return lab, mo


@app.cell(hide_code=True)
def _(lab):
    page = lab.open_page("clue")
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
            # Verified by experience

            A model thinks about the same problem many times and comes to different answers. Which of them to trust?
            CLUE asks neither the model nor a judge. It looks at how far the **hidden state moved** between the start
            and the end of thinking, and asks whether that looks more like past successes or like past failures.

            The whole memory is **two means**, one of each kind, over labelled past traces. Nothing is trained for it,
            and nothing fades with time. It fails where the two clouds overlap, or where answers differ more from one
            another than right differs from wrong.

            **What is simulated.** The paper judges language models on mathematics. Here the reasoner is a small network
            that is really trained, on handwritten digits. The *prompt* is a noisy thumbnail. *Thinking* is a single
            step: the picture arrives, under a distraction whose strength differs from trace to trace. All hidden states
            are the network's own.
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
    ## Two means

    A trace has one hidden state in every layer $l$ when thinking starts, $h^{(l)}_{\mathrm{start}}$, and one when it ends.
    What counts is the difference (equation 1), and of the past traces only its mean is kept (equation 2):

    $$\Delta h^{(l)} = h^{(l)}_{\mathrm{end}} - h^{(l)}_{\mathrm{start}}$$

    $$V_{\mathrm{succ}} = \operatorname{mean}_{\text{right}} \Delta h \qquad
    V_{\mathrm{fail}} = \operatorname{mean}_{\text{wrong}} \Delta h$$

    There are as many right traces as wrong ones in the memory. Nothing is normalised and no layer is chosen.

    **Try:** walk through the layers. Each cloud is ten digits wide: which digit the answer is explains 37 % of the variance of the
    right traces (ten reasoners). The two means differ by much less than the clouds are wide.
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
    ## Which layer tells, and for which reasoner

    The distance between the two means in every layer is the paper's $d(l)$ (equations 5 and 6, Figure 4). A layer with large
    numbers has large distances, so the second chart divides by the spread of the right traces; that measure is ours:

    $$d(l) = \lVert V^{(l)}_{\mathrm{succ}} - V^{(l)}_{\mathrm{fail}} \rVert_2$$

    $$\mathrm{sep}(l) = \frac{d(l)}{\sqrt{\operatorname{mean}_{\text{right}} \lVert \Delta h^{(l)} - V^{(l)}_{\mathrm{succ}} \rVert^2}}$$

    The paper finds that models tuned by reinforcement separate success from failure, while models tuned by imitation hardly
    do (section 4.5). Our analogue is **correctness feedback**: with weight $w$ the reasoner is also trained to tell whether
    its current answer is right. This is supervised learning and *not* reinforcement learning.

    With $w = 0$ the last layer is above the first by 0.65 in the mean (1.86 against 1.20, 60 reasoners), but the spread is
    0.29: in a single reasoner the two can be equal, and then rounding decides which is above. With $w = 4$ all rise.

    **Try:** set $w$ to 4. The means move apart most in the last layers.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "distance")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "separation")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "training")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## The verdict

    The distance of a new trace to a mean is averaged over the layers (equation 3), and the nearer mean decides:

    $$d(A, B) = \frac{1}{L} \sum_{l=1}^{L} \lVert a^{(l)} - b^{(l)} \rVert_2$$

    $$\hat y = 1 \ \text{ if } \ d(\Delta h, V_{\mathrm{succ}}) < d(\Delta h, V_{\mathrm{fail}}), \ \text{ else } 0$$

    The problems judged here are others than those remembered. Of the paper's verdicts on AIME 24 (Nemotron-1.5B, Table 1)
    80.9 % were right: 72.9 % of the right traces and 87.4 % of the wrong ones. GPT-4o, reading the answers, had 58.6 %.

    **Try:** use one layer alone. Take 10 past traces of each kind, and try other seeds. Then do not subtract the start state,
    which makes it another method. The paper needs the difference to take away what the prompt alone put there; here the
    prompt puts little there, and the balanced accuracy stays where it was (0.667 in place of 0.668, ten reasoners).
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "margins")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "sizes")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## From a distance to an answer

    Every problem has $k$ candidates. Rank them, let only the best $m$ vote, and take the majority; ties go to the candidate
    that is ranked better. The paper ranks by $d(\Delta h, V_{\mathrm{succ}})$ alone (equation 4). The **margin**,
    $d(\Delta h, V_{\mathrm{succ}}) - d(\Delta h, V_{\mathrm{fail}})$, is ours, and so is the plain **confidence**, the
    probability of the answer, in place of the paper's DeepConf.

    **An honest gap.** At small $m$ the paper's score does hardly better than chance here, and the margin far better. The cloud of
    success is ten clusters wide, one for each digit, so the distance to its mean says much about the digit. In the margin most
    of that cancels. We checked: with a mean of successes for *each digit*, the first by distance is right in 0.85 of the
    problems in place of 0.55 (ten reasoners).

    **Try:** under *The reasoner and its training* let the evidence become *fainter* instead of noisier. A failed trace then
    moves *less* than a right one (6.4 against 8.8 in the mean over layers; with noise 10.3 against 9.7). Whoever hardly moves
    is near every mean, so the distance to success ranks worse than chance. The margin survives.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "votes")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "methods")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## What to take away

    - Confidence ranks all traces together better than the margin (area under the curve 0.76 against 0.72), and within one
      problem the two are even (0.73 both). Yet the first candidate by margin is right more often, 0.72 against 0.65: the
      surest candidate of all is often surely wrong. These are means over 30 reasoners, w = 0.
    - A vote of all 64 is hard to beat here: sixteen chosen by margin reach 0.876, all together 0.869. The paper gains 13
      points, because its majority is often wrong: 56.7 % on AIME 24.
    - On GPQA with DeepSeek-8B the paper's own first candidate, 56.6 %, is *below* the majority, 61.1 % (Table 2). The vote
      of sixteen gets back above it, 62.6 %.
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
    on both; what differs is rounding. Training makes rounding grow: rates differ in the
    second or third decimal place, single dots of the cloud by one or two units.
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

            The paper takes the hidden states of language models at the marks that open and close the thinking block, and
            remembers 10 000 right and 10 000 wrong traces. The two means, the distance, the verdict and the filtered vote
            are the paper's, which published no code. The digits, the small reasoner, its feedback, the margin, sep(l) and
            the rule for ties are ours.

            Verdicts on AIME 24 in Table 1 are 81.1 % right for Polaris-4B, but only 51.3 % of the wrong traces are told.
            Look at both rates: of a model that is mostly right, a verdict that always says *right* is mostly right too.
            """),
            lab.reference(page),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
