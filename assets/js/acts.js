// js_on_load of every gr.HTML whose buttons do something: `data-act` and all its other data reach Python as 'act'.
const ids = () => [...element.querySelectorAll('[data-select]:checked')].map(box => box.dataset.select).join(',');
let last = { text: '', at: 0 };
const tell = (data, twice = false) => {  // none is lost while another is answered, so the second half of a double click must not count
  const text = JSON.stringify(data);
  if (twice && text === last.text) return;
  last = { text, at: performance.now() };
  trigger('act', data);
};
const send = (target, twice) =>
  tell({ ...target.dataset, ...('collect' in target.dataset ? { ids: ids() } : {}) }, twice);
element.addEventListener('click', event => {
  const target = event.target.closest('[data-act]');
  if (!target || !element.contains(target) || target.disabled) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey) { if (target.tagName === 'A') return; }
  event.preventDefault();
  send(target, event.detail > 1);
});
element.addEventListener('keydown', event => {
  const target = event.target.closest('[data-act]');
  if (!target || ['BUTTON', 'A', 'INPUT'].includes(target.tagName)) return;
  if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); send(target); }
});
element.addEventListener('submit', event => {
  const form = event.target.closest('[data-act-form]');
  if (!form) return;
  event.preventDefault();
  const dialog = form.closest('.bf-modal');
  if (dialog) dialog.hidden = true;
  tell({
    act: form.dataset.actForm, ...Object.fromEntries(new FormData(form)), ...('collect' in form.dataset ? { ids: ids() } : {}),
  }, performance.now() - last.at < 600);  // a form does not say how many clicks sent it
  if ('reset' in form.dataset) form.reset();
});
element.addEventListener('change', event => {
  const field = event.target.closest('[data-page]');
  if (field) tell({ act: 'page', id: field.value });
});
