// js_on_load of a person's view, after acts.js: the bar that appears while photographs are selected.
const chosen = () => [...element.querySelectorAll('[data-select]:checked')];
const bar = () => {
  const bulk = element.querySelector('[data-bulk]');
  if (!bulk) return;
  bulk.hidden = !chosen().length;
  bulk.querySelector('[data-bulk-n]').textContent = chosen().length;
};
element.addEventListener('change', event => { if (event.target.matches('[data-select]')) bar(); });
element.addEventListener('click', event => {
  if (!event.target.closest('[data-unselect]')) return;
  chosen().forEach(box => { box.checked = false; });
  bar();
});
watch('value', () => { chosen().forEach(box => { box.checked = false; }); bar(); });
