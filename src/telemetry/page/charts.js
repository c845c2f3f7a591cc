/** The small multiples: one chart each, with a legend that says the newest numbers, or those under the pointer. */

import uPlot from "/uplot.js";
import { CHARTS } from "./series.js";
import { count, minute, moment, money, percent, short, size, time } from "./words.js";

/** @typedef {import("./series.js").Chart} Chart */
/** @typedef {import("./series.js").Drawn} Drawn */
/** @typedef {import("../course.ts").Point} Point */

const FORMATS = { count, share: percent, time, money, size };

/** As the axis says it: short. */
const TICKS = { ...FORMATS, count: short };

const HEIGHT = 150;

/** @param {number} seconds since the epoch @param {number} step between two ticks, s */
const hour = (seconds, step) => (step < 60 ? moment(seconds * 1_000) : minute(seconds * 1_000));

/** @param {string} name */
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** @param {string} tag @param {string} [name] */
function element(tag, name) {
  const made = document.createElement(tag);
  if (name !== undefined) made.className = name;
  return made;
}

class Panel {
  /** @param {Chart} chart */
  constructor(chart) {
    this.chart = chart;
    this.root = element("figure", "chart");
    this.root.id = `chart-${chart.id}`;
    const caption = element("figcaption");
    const head = element("h2");
    head.textContent = chart.title;
    const unit = element("span", "quiet");
    unit.textContent = chart.unit;
    this.legend = element("ul", "legend");
    caption.append(head, unit, this.legend);
    this.place = element("div", "plot");
    this.empty = element("p", "empty quiet");
    this.empty.textContent = chart.empty;
    this.root.append(caption, this.place, this.empty);
    /** @type {uPlot | undefined} */
    this.plot = undefined;
    this.signature = "";
    /** @type {Drawn} */
    this.drawn = { lines: [], values: [] };
    new ResizeObserver(() => this.fit()).observe(this.place);
  }

  /** @param {Point[]} points */
  show(points) {
    this.drawn = this.chart.draw(points);
    const any = this.drawn.values.some((values) => values.some((value) => value !== null));
    this.empty.hidden = any;
    this.place.hidden = !any;
    this.legend.hidden = !any;
    if (!any) return;
    const data = /** @type {uPlot.AlignedData} */ ([points.map((point) => point.time), ...this.drawn.values]);
    const signature = JSON.stringify(this.drawn.lines);
    if (this.plot === undefined || signature !== this.signature) this.build(signature, data);
    else this.plot.setData(data);
    this.tell(this.plot?.cursor.idx ?? undefined);
  }

  /** @param {string} signature @param {uPlot.AlignedData} data */
  build(signature, data) {
    this.plot?.destroy();
    this.signature = signature;
    this.plot = new uPlot(this.options(), data, this.place);
    this.fit();
    this.legend.replaceChildren(
      ...this.drawn.lines.map(({ label, color: hue, dash }) => {
        const item = element("li");
        const swatch = element("i", dash ? "swatch dashed" : "swatch");
        swatch.style.setProperty("--swatch", `var(${hue})`);
        const name = element("span");
        name.textContent = label;
        item.append(swatch, name, element("b"));
        return item;
      }),
    );
  }

  /** @returns {uPlot.Options} */
  options() {
    const axis = {
      stroke: () => color("--quiet"),
      grid: { stroke: () => color("--line"), width: 1 },
      ticks: { show: false },
    };
    const tick = TICKS[this.chart.format];
    const { top = 0, most = Number.POSITIVE_INFINITY } = this.chart;
    return {
      width: Math.max(200, this.place.clientWidth),
      height: HEIGHT,
      legend: { show: false },
      padding: [8, 18, 0, 0],
      cursor: { sync: { key: "run" }, y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: { y: { range: (_, __, max) => [0, Math.min(most, Math.max(top, max * 1.08)) || 1] } },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 26,
          space: 64,
          values: (_, splits, __, ___, step) => splits.map((split) => hour(split, step)),
        },
        { ...axis, size: 54, space: 34, values: (_, splits) => splits.map((split) => tick(split)) },
      ],
      series: [
        {},
        ...this.drawn.lines.map(({ label, color: hue, fill, dash }) => ({
          label,
          stroke: () => color(hue),
          width: 1.75,
          spanGaps: true,
          points: { show: false },
          ...(fill ? { fill: () => color(`${hue}-soft`) } : {}),
          ...(dash ? { dash: [5, 4] } : {}),
        })),
      ],
      hooks: { setCursor: [(plot) => this.tell(plot.cursor.idx ?? undefined)] },
    };
  }

  /** @param {number | undefined} at which point; undefined: the newest */
  tell(at) {
    const format = FORMATS[this.chart.format];
    const told = this.drawn.values.map((values) => {
      const value = at === undefined ? values.findLast((one) => one !== null) : values[at];
      return value === null || value === undefined ? "–" : format(value);
    });
    for (const [index, text] of told.entries()) {
      const value = this.legend.children[index]?.querySelector("b");
      if (value) value.textContent = text;
    }
    if (at !== undefined) return;
    const words = this.drawn.lines.map(({ label }, index) => `${label} ${told[index]}`);
    this.place.setAttribute("role", "img");
    this.place.setAttribute("aria-label", `${this.chart.title}, ${this.chart.unit}: ${words.join(", ")}`);
  }

  fit() {
    const width = this.place.clientWidth;
    if (this.plot !== undefined && width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: HEIGHT });
  }
}

/**
 * @param {HTMLElement} place
 * @returns {(points: Point[]) => void} shows them
 */
export function charts(place) {
  const panels = CHARTS.map((chart) => new Panel(chart));
  place.replaceChildren(...panels.map(({ root }) => root));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const { plot } of panels) plot?.redraw(false);
  });
  return (points) => {
    for (const panel of panels) panel.show(points);
  };
}
