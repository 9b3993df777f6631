// js_on_load of the Unknowns tab, after acts.js: the question before erasure, and a card that is put off.
element.addEventListener('click', event => {
  const later = event.target.closest('[data-later]');
  if (later) later.closest('.bf-hit').hidden = true;
  const asked = event.target.closest('[data-forget]');
  if (!asked) return;
  const box = document.getElementById('forget-dialog');
  box.querySelector('h2').textContent = asked.dataset.title;
  box.querySelector('[data-act=erase]').dataset.faces = asked.dataset.forget === 'selected' ? ids() : asked.dataset.forget;
});
