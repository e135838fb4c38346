import marimo

__generated_with = "0.25.2"
app = marimo.App(
    width="medium",
    app_title="Curves of forgetting · Memory Lab",
    html_head_file="head.html",
)


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from mem_core import lab

    return lab, mo


@app.cell(hide_code=True)
def _(lab):
    comparison = lab.Comparison()
    frames = comparison.frames
    lab.sheet()
    return comparison, frames


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    <nav class="lab-place" aria-label="Gallery"><a href="../">All mechanisms</a></nav>

    # Curves of forgetting

    A state-space model forgets a token, a trained network forgets a fact, a person forgets a word. The clocks differ:
    tokens, training steps, days. Lay the curves over one another, each measured in **its own half-life**, the time
    after which half is gone, and what remains is the shape.

    **Try:** which memory fades like an exponential, losing half of what is left again and again? Which has a long tail?
    Which holds everything and then drops it at once?
    """)
    return


@app.cell(hide_code=True)
def _(comparison):
    picks = comparison.picks()
    return (picks,)


@app.cell(hide_code=True)
def _(comparison, picks):
    panels = comparison.panels(picks.value)
    return (panels,)


@app.cell(hide_code=True)
def _(comparison, panels, picks):
    comparison.panel(picks, panels)
    return


@app.cell(hide_code=True)
def _(comparison, panels):
    lives = comparison.run(panels.value)
    return (lives,)


@app.cell(hide_code=True)
def _(comparison, frames, lives):
    frames()
    comparison.status(lives)
    return


@app.cell(hide_code=True)
def _(comparison, frames, lives):
    frames()
    comparison.figures(lives)
    return


if __name__ == "__main__":
    app.run()
