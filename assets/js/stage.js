// js_on_load of the photograph, after acts.js: zoom, and drawing a box around a face that was not found.
let follows = false;  // arrows choose another face and take the focus along
element.addEventListener('keydown', event => {
  follows = !!event.target.closest('.face') && /^(ArrowLeft|ArrowRight|[1-9])$/.test(event.key);
});
watch('value', () => {
  if (follows) element.querySelector('.face.sel')?.focus({ preventScroll: true });
  follows = false;
});
const zoomBy = factor => {
  const now = Number(element.style.getPropertyValue('--zoom') || 1);
  const next = Math.max(1, Math.min(6, now * factor));
  element.style.setProperty('--zoom', next);
  element.toggleAttribute('data-zoomed', next > 1);
  const chosen = element.querySelector('.face.sel');
  if (next > 1 && chosen) chosen.scrollIntoView({ block: 'nearest', inline: 'center' });
};
element.addEventListener('click', event => {
  const button = event.target.closest('[data-zoomby]');
  if (button) zoomBy(Number(button.dataset.zoomby));
});
element.addEventListener('pointerdown', event => {
  const picture = event.target.closest('.bf-pic');
  if (!picture || !document.body.classList.contains('bf-drawing')) return;
  event.preventDefault();
  event.stopPropagation();
  const frame = picture.getBoundingClientRect();
  const at = move => [
    Math.max(0, Math.min(1, (move.clientX - frame.left) / frame.width)),
    Math.max(0, Math.min(1, (move.clientY - frame.top) / frame.height)),
  ];
  const [x0, y0] = at(event);
  const box = document.createElement('div');
  box.className = 'bf-drawn';
  picture.append(box);
  picture.setPointerCapture(event.pointerId);
  const measure = move => {
    const [x1, y1] = at(move);
    return { x: Math.min(x0, x1), y: Math.min(y0, y1), w: Math.abs(x1 - x0), h: Math.abs(y1 - y0) };
  };
  picture.onpointermove = move => {
    const part = measure(move);
    Object.assign(box.style, {
      left: `${part.x * 100}%`, top: `${part.y * 100}%`, width: `${part.w * 100}%`, height: `${part.h * 100}%`,
    });
  };
  picture.onpointerup = picture.onpointercancel = move => {
    picture.onpointermove = picture.onpointerup = picture.onpointercancel = null;
    box.remove();
    document.body.classList.remove('bf-drawing');
    const part = measure(move);
    if (part.w * frame.width > 6 && part.h * frame.height > 6) trigger('act', { act: 'draw', ...part });
  };
});
element.addEventListener('click', event => {
  if (document.body.classList.contains('bf-drawing') && event.target.closest('.bf-pic')) event.stopImmediatePropagation();
}, true);
