// js_on_load of the toasts: closing needs no server; a message that is neither error nor news leaves by itself.
const hide = toast => { toast.hidden = true; };
element.addEventListener('click', event => {
  const target = event.target.closest('[data-act]');
  if (!target) return;
  hide(target.closest('.bf-toast'));
  if (target.dataset.act !== 'close') trigger('act', { ...target.dataset });
});
watch('value', () => element.querySelectorAll('.bf-toast').forEach(toast => {
  toast.hidden = false;
  const n = toast.dataset.n;
  if (!['error', 'news'].includes(toast.dataset.kind)) setTimeout(() => { if (toast.dataset.n === n) hide(toast); }, 8000);
}));
