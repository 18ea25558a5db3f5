// The selected cell: where a key leads from it, its outline in every heatmap, and the view that it is in.

/** The cell that a key leads to; undefined for keys that mean nothing here. */
function cellByKey(grid, cell, key, control) {
  const [lastRow, lastColumn] = [grid.y.at.length - 1, grid.x.at.length - 1];
  const [row, column] = (cell && grid.position(cell)) ?? [null, null];
  const moves = {
    ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
    Home: [control ? 0 : row, 0], End: [control ? lastRow : row, lastColumn], Enter: [row, column],
  };
  if (!(key in moves) || (control && key !== "Home" && key !== "End")) return undefined;
  const [toRow, toColumn] = row === null ? [0, 0] : moves[key];
  return [grid.y.at[clamp(toRow, [0, lastRow])], grid.x.at[clamp(toColumn, [0, lastColumn])]];
}

/** Draws the cell under the pointer and the selected cell in every grid, clipped to what the grid shows now. */
function drawOutlines(overlay, grids, cells) {
  const boxes = cells.flatMap(([cell, names]) =>
    cell ? grids.flatMap((grid) => outlineIn(grid, cell, names.map((name) => `${name} of-${grid.part}`))) : [],
  );
  const now = overlay.children;
  if (boxes.length !== now.length || !boxes.every((box, index) => box.isEqualNode(now[index]))) overlay.replaceChildren(...boxes);
}

function outlineIn(grid, cell, names) {
  const place = grid.position(cell);
  if (!place) return [];
  const span = ({ axis, at }, index) => {
    const half = step(at) / 2;
    const [from, to] = [pixelOf(axis, at[index] - half), pixelOf(axis, at[index] + half)].sort((a, b) => a - b);
    return [from, Math.max(to - from, 1)];
  };
  const [[x, width], [y, height]] = [span(grid.x, place[1]), span(grid.y, place[0])];
  const window = svg("svg", { x: grid.x.axis._offset, y: grid.y.axis._offset, width: grid.x.axis._length, height: grid.y.axis._length });
  window.append(...names.map((name) => svg("rect", { class: name, x, y, width, height })));
  return [window];
}

/** Moves a zoomed view so that the selected cell is in it. */
function revealCell(plot, grids, cell) {
  if (!cell) return;
  const ranges = {};
  for (const grid of grids)
    for (const [{ axis, at }, value] of [[grid.x, cell[1]], [grid.y, cell[0]]]) {
      const [low, high] = [...axis.range].map(Number).sort((a, b) => a - b);
      const half = step(at) / 2;
      const shift = Math.min(value - half - low, 0) + Math.max(value + half - high, 0);
      if (Math.abs(shift) > half * 1e-6 && high - low >= 2 * half) ranges[axis._name + ".range"] = axis.range.map((end) => Number(end) + shift);
    }
  if (Object.keys(ranges).length) globalThis.Plotly.relayout(plot, ranges);
}
