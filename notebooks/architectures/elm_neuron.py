import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Leaky memory neuron · Memory Lab",
    html_head_file="../head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab

    return lab, mo


@app.cell(hide_code=True)
def _(lab):
    page = lab.open_page("elm-neuron")
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
            # Leaky memory neuron

            A single nerve cell is more than a sum and a threshold. The **ELM neuron** gives it three parts: synapses that hold a
            spike for a few milliseconds, **memory units** that leak at many different speeds, and dendrites, a small network that
            sees both and decides what is written.

            What is remembered is a burst of spikes. Each unit loses it at its own rate $e^{-t/\tau}$: the fast ones within a
            millisecond, the slow ones over a tenth of a second. So **how slow the slowest unit is** decides how long a burst can be
            read, and **how many units there are** decides how well.
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
    ## One burst, and what it leaves

    Three patterns of spikes on 12 channels are fixed; a trial fires one of them within 4 ms, and after that only stray
    spikes come. Every millisecond the neuron does this, with $\kappa = e^{-\Delta t/\tau}$:

    $$\begin{aligned} s_t &= \kappa_s s_{t-1} + w_s\, x_t \\ \Delta_t &= f\big(\mathrm{MLP}[\,s_t\,;\ \kappa_m m_{t-1}\,]\big) \\ m_t &= \kappa_m m_{t-1} + \lambda\,(1-\kappa_m)\,\Delta_t \end{aligned}$$

    with $f(x) = 1.7159 \tanh(2x/3)$. The factor $1-\kappa_m$ lets a slow unit move as slowly as it leaks. The weights
    here are random: nothing has been learned yet.

    **Try:** switch off "dendrites read the memory". After the few milliseconds for which the synapses still hold the
    burst, each unit then fades as its dashed curve does; with the switch on, fast units know what only slow ones can hold.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "spikes")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "memory")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "trace")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## How long can it be read?

    A linear readout is fitted on 400 trials to say from the memory alone which burst it was, and tested on 800 others.
    The stray spikes matter: without them any trace, however faint, could be amplified.

    **Try:** raise τmax to 300 ms and watch the curve move to the right. Then go back, raise the number of units to 32, and
    watch it rise. Make λ small: does a memory that hardly moves tell less?
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "forgetting")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "units")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## A neuron that learns to add

    Now all weights are trained by gradient descent, back through every millisecond. The neuron hears two bursts, the
    second after the delay D, and answers with the sum of their numbers, 0 to 4. Whoever has lost the first burst can
    only guess a third of the sums right. Beside your neuron the same one is trained with units no slower than 5 ms.

    **Try:** delay 20 ms. The fast neuron may now learn the task too: its trained dendrites read a fading memory and write
    it again, which no time constant forbids. **τ bounds what leaks away unattended, not what is kept alive by feedback.**
    Switch the feedback off and see which of the two neurons still learns.
    """)
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "loss")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "sums")
    return


@app.cell(hide_code=True)
def _(frames, lab, live, page):
    frames()
    lab.figure(page, live, "confusion")
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

            The paper fits a detailed model of a cortical neuron with fewer than ten thousand weights, and trains neurons of this
            kind on long sequences. The equations, the time constants and $\lambda = 5$ are the paper's; the bursts, the random
            neurons with a fitted readout and the toy addition are ours. In the paper's addition task the bursts are spoken digits.

            Two things that this toy shows differ from the simple story. A single unit has $\tau_{\min}$, as in the paper's code,
            so one unit here knows next to nothing for lack of speed and not only of number. And in the longer training (training:
            standard) a neuron with $\tau_{\max} = 5$ ms bridges 40 ms by feedback on more than half of the seeds; cut the feedback, and
            it falls back to a third on every one.
            """),
            lab.reference(page),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
