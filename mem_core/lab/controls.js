// The panel of controls as a web component: sliders that can be typed into, with labels, units and help.
//
// marimo wraps the element in <marimo-ui-element>, calls its reset() and rerender(), and takes new values from the
// event "marimo-value-input". Every value is text, in the form that links and the command line use; Python reads and
// checks it again. The tag must start with "marimo-": marimo's sanitiser lets no other custom element through.
(() => {
  const DRAG_MILLISECONDS = 60; // at most this often while a slider moves: faster than a run, slower than a flood
  const POSITIONS_PER_DECADE = 20;
  const LARGEST_FILE = 200_000; // characters; Python has the same bound
  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children);
    return node;
  };
  const short = (number, digits = 2) => String(Number(number.toPrecision(digits)));

  // Slider positions to values: even steps, or two-digit numbers evenly spread over the decades, after any extra values.
  const ladder = (control) => {
    const { low, high, step, scale, also = [] } = control;
    let rungs;
    if (scale === "log") {
      const count = Math.max(2, Math.round(Math.log10(high / low) * POSITIONS_PER_DECADE));
      const digits = control.kind === "whole" ? 15 : 2;
      const at = (i) => low * (high / low) ** (i / count);
      rungs = Array.from({ length: count + 1 }, (_, i) => Number(short(at(i), digits)));
      if (control.kind === "whole") rungs = rungs.map(Math.round);
      rungs[0] = low;
      rungs[rungs.length - 1] = high;
    } else {
      const size = step || (high - low) / 100;
      const count = Math.floor((high - low) / size + 1e-9);
      rungs = Array.from({ length: count + 1 }, (_, i) => Number((low + i * size).toPrecision(12)));
      if (rungs[count] < high) rungs.push(high);
    }
    return [...new Set([...also, ...rungs])].sort((a, b) => a - b);
  };
  const nearest = (rungs, value) =>
    rungs.reduce((best, rung, i) => (Math.abs(rung - value) < Math.abs(rungs[best] - value) ? i : best), 0);

  class LabControls extends HTMLElement {
    __type__ = "__custom_marimo_element__"; // by which marimo (0.25) knows elements with reset() and rerender()

    connectedCallback() {
      if (!this.built) this.rerender();
    }

    // Called by marimo when the cell has run again: start from what Python now says.
    rerender() {
      const read = (name, otherwise) => JSON.parse(this.getAttribute(name) ?? JSON.stringify(otherwise));
      this.controls = read("data-controls", []);
      this.presets = read("data-presets", []);
      this.submitWords = read("data-submit", null);
      this.onRelease = read("data-on-release", false);
      this.values = { ...read("data-initial-value", {}) };
      this.lastSent = JSON.stringify(this.values);
      this.sent = 0;
      this.fields = {};
      this.replaceChildren(...this.rows(), this.buttons());
      this.built = true;
    }

    reset() {
      this.rerender();
    }

    // Neighbours of one group share a fold; it is open where the panel starts with it.
    rows() {
      const shown = [];
      let fold = null;
      for (const control of this.controls) {
        if (!control.group) fold = null;
        else if (fold?.dataset.group !== control.group) {
          const open = shown.length === 0;
          fold = make("details", { class: "lab-group", "data-group": control.group, open }, make("summary", {}, control.group));
          shown.push(fold);
        }
        (fold ?? { append: (node) => shown.push(node) }).append(this.row(control));
      }
      return shown;
    }

    row(control) {
      const id = `lab-${control.name}-${Math.random().toString(36).slice(2, 8)}`;
      const problem = make("p", { class: "lab-problem", role: "alert", id: `${id}-problem` });
      const help = make("p", { class: "lab-help", id: `${id}-help` }, control.help);
      const field = this[control.kind](control, id);
      this.fields[control.name] = { show: field.show, problem };
      field.show(this.values[control.name]);
      const row = make("div", { class: `lab-control lab-${control.kind}`, "data-control": control.name });
      row.append(...field.nodes, problem, help);
      return row;
    }

    label(control, id) {
      return make("label", { for: id }, control.title);
    }

    number(control, id) {
      const rungs = ladder(control);
      const unit = control.unit ? ` ${control.unit}` : "";
      const slider = make("input", {
        type: "range", min: 0, max: rungs.length - 1, step: 1, "aria-label": control.title, "aria-describedby": `${id}-help`,
      });
      const entry = make("input", {
        id, type: "text", inputmode: "decimal", autocomplete: "off", "aria-describedby": `${id}-problem ${id}-help`,
      });
      const show = (text) => {
        entry.value = text;
        slider.value = nearest(rungs, Number(text));
        slider.setAttribute("aria-valuetext", text + unit);
        slider.style.setProperty("--share", rungs.length > 1 ? slider.value / (rungs.length - 1) : 0);
      };
      slider.addEventListener("input", () => {
        show(String(rungs[slider.value]));
        this.keep(control, entry.value);
        if (!this.onRelease) this.sendSoon();
      });
      // A slider let go at the rung where it stood has no "change"; a typed value between two rungs has still moved.
      for (const end of ["change", "pointerup"]) slider.addEventListener(end, () => this.send());
      entry.addEventListener("change", () => {
        const text = entry.value.trim().replace(",", ".");
        if (!this.allowed(control, text)) return this.refuse(control, entry.value);
        show(String(Number(text)));
        this.keep(control, entry.value);
        return this.send();
      });
      return { nodes: [this.label(control, id), make("div", { class: "lab-slider" }, slider, entry)], show };
    }

    whole(control, id) {
      return this.number(control, id);
    }

    allowed(control, text) {
      const value = Number(text);
      if (text === "" || !Number.isFinite(value)) return false;
      if (control.kind === "whole" && !Number.isInteger(value)) return false;
      return (value >= control.low && value <= control.high) || (control.also ?? []).includes(value);
    }

    choice(control, id) {
      const select = make("select", { id, "aria-describedby": `${id}-help` });
      select.append(...control.options.map((option) => make("option", { value: option }, option)));
      select.addEventListener("change", () => this.keepAndSend(control, select.value));
      return { nodes: [this.label(control, id), select], show: (text) => { select.value = text; } };
    }

    choices(control, id) {
      const boxes = control.options.map((option) => make("input", { type: "checkbox", value: option }));
      const chosen = () => boxes.filter((box) => box.checked).map((box) => box.value);
      for (const box of boxes) {
        box.addEventListener("change", () => {
          if (chosen().length >= control.least) return this.keepAndSend(control, chosen().join(","));
          const rest = chosen().join(", ") || "empty";
          box.checked = true;
          return this.refuse(control, rest);
        });
      }
      const labels = boxes.map((box) => make("label", {}, box, ` ${box.value}`));
      const legend = make("legend", {}, control.label);
      const group = make("fieldset", { id, "aria-describedby": `${id}-help` }, legend, ...labels);
      const show = (text) => { for (const box of boxes) box.checked = text.split(",").includes(box.value); };
      return { nodes: [group], show };
    }

    switch(control, id) {
      const box = make("input", { id, type: "checkbox", "aria-describedby": `${id}-help` });
      box.addEventListener("change", () => this.keepAndSend(control, String(box.checked)));
      const label = make("label", { for: id }, box, ` ${control.label}`);
      return { nodes: [label], show: (text) => { box.checked = text === "true"; } };
    }

    text(control, id) {
      const entry = make("input", { id, type: "text", autocomplete: "off", "aria-describedby": `${id}-problem ${id}-help` });
      entry.addEventListener("change", () => this.keepAndSend(control, entry.value.trim()));
      return { nodes: [this.label(control, id), entry], show: (text) => { entry.value = text; } };
    }

    pairs(control, id) {
      const area = make("textarea", { id, rows: 4, "aria-describedby": `${id}-problem ${id}-help`, placeholder: control.placeholder });
      const file = make("input", { type: "file", accept: ".csv,.txt,text/csv", "aria-label": `${control.label}: a CSV file` });
      area.addEventListener("change", () => this.keepAndSend(control, area.value.trim()));
      file.addEventListener("change", async () => {
        const [chosen] = file.files;
        if (!chosen) return;
        if (chosen.size > LARGEST_FILE) {
          this.refuse(control, `a file of ${(chosen.size / 1e6).toFixed(1)} MB`, `at most ${LARGEST_FILE / 1e3} kB`);
          return;
        }
        area.value = await chosen.text();
        this.keepAndSend(control, area.value.trim());
      });
      return { nodes: [this.label(control, id), area, file], show: (text) => { area.value = text; } };
    }

    buttons() {
      const bar = make("div", { class: "lab-row" });
      for (const preset of this.presets) {
        const button = make("button", { type: "button", title: preset.help, "data-preset": preset.name }, preset.name);
        button.addEventListener("click", () => {
          this.values = { ...preset.values };
          for (const [name, text] of Object.entries(this.values)) this.fields[name].show(text);
          for (const field of Object.values(this.fields)) field.problem.textContent = "";
          this.send();
        });
        bar.append(button);
      }
      if (this.submitWords) {
        const button = make("button", { type: "button", class: "lab-submit" }, this.submitWords);
        button.addEventListener("click", () => this.send(true));
        bar.append(button);
      }
      return bar;
    }

    refuse(control, got, allowed = control.allowed) {
      this.fields[control.name].problem.textContent = `${control.label} is ${got || "empty"}, but it must be ${allowed}.`;
    }

    keep(control, text) {
      this.values[control.name] = text;
      this.fields[control.name].problem.textContent = "";
    }

    keepAndSend(control, text) {
      this.keep(control, text);
      this.send();
    }

    sendSoon() {
      this.waiting ??= setTimeout(() => this.send(), DRAG_MILLISECONDS);
    }

    // A form sends only when its button is pressed, each time with a new count, so that the same answer can be sent twice.
    send(pressed = false) {
      clearTimeout(this.waiting);
      this.waiting = undefined;
      if (this.submitWords && !pressed) return;
      this.sent += 1;
      const value = this.submitWords ? { ...this.values, sent: String(this.sent) } : { ...this.values };
      const text = JSON.stringify(value);
      if (text === this.lastSent) return;
      this.lastSent = text;
      const detail = { value, element: this };
      this.dispatchEvent(new CustomEvent("marimo-value-input", { bubbles: true, composed: true, detail }));
    }
  }
  if (!customElements.get("marimo-lab-controls")) customElements.define("marimo-lab-controls", LabControls);
})();
