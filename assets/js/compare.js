// js_on_load of the compare dialog, after acts.js: views, one zoom and position for both faces, leafing, keys.
const find = (selector, root = element) => root.querySelector(selector);
const all = selector => [...element.querySelectorAll(selector)];
const state = { zoom: 1, x: 0, y: 0, cut: 50 };
const box = () => find('.bf-modal');
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

const mode = name => {
  find('.bf-cmp').dataset.mode = name;
  all('[data-mode-btn]').forEach(button => button.setAttribute('aria-pressed', button.dataset.modeBtn === name));
  find('.bf-cmp__layer').style.visibility = '';
};
const place = () => {
  const reach = 50 * (1 - 1 / state.zoom);
  state.x = clamp(state.x, -reach, reach);
  state.y = clamp(state.y, -reach, reach);
  all('.bf-cmp__img').forEach(image => {
    image.style.transform = `scale(${state.zoom * 1.2}) translate(${state.x}%, ${state.y}%)`;
  });
};
const zoom = value => {
  state.zoom = clamp(value, 1, 4);
  const range = find('[data-zoom]');
  range.value = state.zoom;
  range.style.setProperty('--range_progress', `${(state.zoom - 1) / 3 * 100}%`);
  place();
};
const cut = value => {
  state.cut = clamp(value, 0, 100);
  find('.bf-cmp__one').style.setProperty('--cut', `${state.cut}%`);
  find('.bf-cmp__cut').setAttribute('aria-valuenow', Math.round(state.cut));
};
const mix = value => {
  find('.bf-cmp__one').style.setProperty('--mix', value / 100);
  find('[data-mix]').style.setProperty('--range_progress', `${value}%`);
};
const leaf = by => {
  const dialog = find('.bf-dialog');
  const photos = JSON.parse(dialog.dataset.photos);
  const shown = (Number(dialog.dataset.shown) + by + photos.length) % photos.length;
  dialog.dataset.shown = shown;
  all('[data-evidence]').forEach(image => { image.src = photos[shown].src; });
  find('[data-source]').textContent = photos[shown].source;
  find('[data-day]').textContent = photos[shown].day;
  const number = find('[data-number]');
  if (number) number.textContent = shown + 1;
};
const blink = () => {
  const layer = find('.bf-cmp__layer');
  layer.style.visibility = layer.style.visibility ? '' : 'hidden';
};
const seen = on => {
  const [note, field] = [find('[data-seen]'), find('[data-similarity-shown]')];
  if (note) note.hidden = !on;
  if (field) field.value = on ? '1' : '';
};
const hide = on => {
  find('.bf-cmp__score').hidden = on;
  if (!on) seen(true);
  find('[data-hide]').checked = on;
  try { localStorage.setItem('byteface-hide-score', on ? '1' : ''); } catch { /* private window */ }
};
const hidden = () => { try { return !!localStorage.getItem('byteface-hide-score'); } catch { return false; } };

watch('value', () => {
  if (!box()) return;
  Object.assign(state, { x: 0, y: 0 });
  zoom(1); cut(50); mix(50); seen(false); hide(hidden());
  find('[data-mode-btn=side]').focus();
});
element.addEventListener('click', event => {
  const target = event.target.closest('[data-mode-btn],[data-leaf],[data-blink],[data-act]');
  if (!target) return;
  if (target.dataset.modeBtn) mode(target.dataset.modeBtn);
  else if (target.dataset.leaf) leaf(Number(target.dataset.leaf));
  else if ('blink' in target.dataset) blink();
  else box().hidden = true;
});
element.addEventListener('input', event => {
  if (event.target.matches('[data-zoom]')) zoom(Number(event.target.value));
  if (event.target.matches('[data-mix]')) mix(Number(event.target.value));
});
element.addEventListener('change', event => { if (event.target.matches('[data-hide]')) hide(event.target.checked); });
element.addEventListener('pointerdown', event => {
  const bar = event.target.closest('.bf-cmp__cut');
  const pane = event.target.closest('.bf-cmp__pane');
  if (!bar && !(pane && state.zoom > 1)) return;
  const held = bar || pane;
  held.setPointerCapture(event.pointerId);
  let [x, y] = [event.clientX, event.clientY];
  held.onpointermove = move => {
    if (bar) {
      const frame = find('.bf-cmp__one').getBoundingClientRect();
      return cut((move.clientX - frame.left) / frame.width * 100);
    }
    state.x += (move.clientX - x) / pane.clientWidth / state.zoom * 100;
    state.y += (move.clientY - y) / pane.clientHeight / state.zoom * 100;
    [x, y] = [move.clientX, move.clientY];
    place();
  };
  held.onpointerup = held.onpointercancel = () => { held.onpointermove = null; };
});
element.addEventListener('keydown', event => {
  if (event.target.matches('input, textarea')) return;
  const views = ['side', 'curtain', 'overlay', 'blink'];
  const key = event.key;
  if (views[Number(key) - 1]) mode(views[Number(key) - 1]);
  else if (key === 'ArrowLeft' || key === 'ArrowRight') cut(state.cut + (key === 'ArrowLeft' ? -2 : 2));
  else if (key === ' ' && find('.bf-cmp').dataset.mode === 'blink') blink();
  else if (key === '+' || key === '=') zoom(state.zoom + 0.25);
  else if (key === '-') zoom(state.zoom - 0.25);
  else if (key === '[') leaf(-1);
  else if (key === ']') leaf(1);
  else return;
  event.preventDefault();
});
