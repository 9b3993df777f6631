// js_on_load of the list of faces, after acts.js: the chosen one stays in sight, and arrows take the focus along.
let follows = false;
element.addEventListener('keydown', event => { follows = /^(ArrowLeft|ArrowRight|[1-9])$/.test(event.key); });
watch('value', () => {
  const chosen = element.querySelector('[aria-pressed=true]');
  if (!chosen) return;
  if (follows) chosen.focus();
  follows = false;
  const list = chosen.closest('ul');  // only the list scrolls, never the page
  const [face, box] = [chosen.getBoundingClientRect(), list.getBoundingClientRect()];
  if (face.top < box.top || face.bottom > box.bottom) list.scrollTop += face.top - box.top - 8;
  if (face.left < box.left || face.right > box.right) list.scrollLeft += face.left - box.left - 24;
});
