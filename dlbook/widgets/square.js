// A square of the plane on a stage: it shows -reach to reach both ways. `at` says where: { left, top, side, reach }.
// Pixels of a place [x, y] of the plane, and the place under a pointer on the element that covers the square.
export const place = ({ left, top, side, reach }, [x, y]) => [left + ((x + reach) / (2 * reach)) * side, top + ((reach - y) / (2 * reach)) * side];
export function pointed(element, { clientX, clientY }, reach) {
  const box = element.getBoundingClientRect();
  return [((clientX - box.left) / box.width) * 2 * reach - reach, reach - ((clientY - box.top) / box.height) * 2 * reach];
}
// A line through pixels.
export const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("") || "M0 0";
