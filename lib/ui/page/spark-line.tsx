import { type Flow, rateText } from "./traffic.ts";

const [width, height] = [320, 44];

/** How much went over a link of late, the latest at the right. */
export function SparkLine({ rates }: { rates: readonly Flow[] }) {
  const totals = rates.map(({ there, back }) => there + back);
  const most = Math.max(...totals, 1);
  if (totals.length < 2) return null;
  const points = totals.map((total, index) => {
    const x = (width * index) / (totals.length - 1);
    return `${x.toFixed(1)} ${(height - 2 - ((height - 4) * total) / most).toFixed(1)}`;
  });
  return (
    <figure class="spark">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`Traffic of late, at most ${rateText(most)}`}
        preserveAspectRatio="none"
      >
        <path d={`M0 ${height} L${points.join(" L")} L${width} ${height}Z`} class="area" />
        <path d={`M${points.join(" L")}`} class="edge" />
      </svg>
      <figcaption class="faint">at most {rateText(most)} of late</figcaption>
    </figure>
  );
}
