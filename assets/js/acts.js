// js_on_load of every gr.HTML whose buttons do something: `data-act` and all its other data reach Python as 'act'.
const ids = () => [...element.querySelectorAll('[data-select]:checked')].map(box => box.dataset.select).join(',');
const send = target => trigger('act', { ...target.dataset, ...('collect' in target.dataset ? { ids: ids() } : {}) });
element.addEventListener('click', event => {
  const target = event.target.closest('[data-act]');
  if (!target || !element.contains(target) || target.disabled) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey) { if (target.tagName === 'A') return; }
  event.preventDefault();
  send(target);
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
  trigger('act', {
    act: form.dataset.actForm, ...Object.fromEntries(new FormData(form)), ...('collect' in form.dataset ? { ids: ids() } : {}),
  });
  if ('reset' in form.dataset) form.reset();
});
element.addEventListener('change', event => {
  const field = event.target.closest('[data-page]');
  if (field) trigger('act', { act: 'page', id: field.value });
});
