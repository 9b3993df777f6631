// js_on_load of the toasts: closing needs no server; a message that is neither error nor news leaves by itself.
// One with an Undo stays longer: whoever wants it has to read first.
const STAY_MS = { undo: 20000, plain: 8000, ...window.bytefaceToastsStayMs };
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
  if (['error', 'news'].includes(toast.dataset.kind)) return;
  const stay = toast.querySelector('[data-act=undo]') ? STAY_MS.undo : STAY_MS.plain;
  setTimeout(() => { if (toast.dataset.n === n) hide(toast); }, stay);
}));
