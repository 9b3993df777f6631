// js_on_load of the plots, after acts.js: the threshold line moves in the browser and tells Python when it is let go.
let waiting;
const put = (line, value, tell) => {
  const [x0, x1] = line.dataset.threshold.split(',').map(Number);
  const at = Math.max(0, Math.min(1, Math.round(value * 100) / 100));
  line.setAttribute('transform', `translate(${x0 + (x1 - x0) * at} 0)`);
  line.setAttribute('aria-valuenow', at);
  line.querySelector('.flagt').textContent = at.toFixed(2);
  clearTimeout(waiting);
  if (tell) waiting = setTimeout(() => trigger('act', { act: 'set', t: at }), tell);
};
element.addEventListener('keydown', event => {
  const line = event.target.closest('[data-threshold]');
  const by = { ArrowLeft: -0.01, ArrowRight: 0.01, ArrowDown: -0.01, ArrowUp: 0.01, PageDown: -0.05, PageUp: 0.05 }[event.key];
  if (!line || !by) return;
  event.preventDefault();
  put(line, Number(line.getAttribute('aria-valuenow')) + by, 250);
});
element.addEventListener('pointerdown', event => {
  const line = event.target.closest('[data-threshold]');
  if (!line) return;
  line.setPointerCapture(event.pointerId);
  const [x0, x1] = line.dataset.threshold.split(',').map(Number);
  const at = move => {
    const svg = line.ownerSVGElement;
    return (new DOMPoint(move.clientX, move.clientY).matrixTransform(svg.getScreenCTM().inverse()).x - x0) / (x1 - x0);
  };
  line.onpointermove = move => put(line, at(move), 0);
  line.onpointerup = line.onpointercancel = move => { line.onpointermove = null; put(line, at(move), 1); };
});
