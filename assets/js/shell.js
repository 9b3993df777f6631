// What belongs to the whole page: light and dark, links to tabs and people, Back, files from anywhere, dialogs, webcam.
(() => {
  const words = window.bytefaceWords;
  const $ = (selector, root = document) => root.querySelector(selector);
  // light and dark: the system decides until somebody does
  const remembered = () => { try { return localStorage.getItem('byteface-theme'); } catch { return null; } };
  const paint = () => {
    const forced = new URLSearchParams(location.search).get('__theme') || remembered();
    const dark = forced ? forced === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    document.body.classList.toggle('dark', dark);
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paint);

  // ?tab=gallery&person=ID; bytefaceVisit is the page's hidden component that tells Python
  const visit = () => {
    const query = new URLSearchParams(location.search);
    const tab = query.get('tab') || 'probe';
    const button = $(`#bf-tabs [data-tab-id="${CSS.escape(tab)}"]`);
    if (button && button.getAttribute('aria-selected') !== 'true') {
      turning = true;  // the click below is ours, not a person's
      button.click();
      turning = false;
    }
    window.bytefaceVisit?.({ tab, person: query.get('person') || '' });
  };
  let turning = false;
  const go = (tab, person) => {
    const url = new URL(location);
    url.searchParams.set('tab', tab);
    if (person) url.searchParams.set('person', person); else url.searchParams.delete('person');
    if (url.href !== location.href) history.pushState({}, '', url);
    visit();
  };
  addEventListener('popstate', visit);
  window.bytefaceRefresh = visit;

  const give = (id, files) => {
    const input = $(`#${id} input[type=file]`);
    if (!input || !files.length) return;
    const transfer = new DataTransfer();
    [...files].forEach(file => transfer.items.add(file));
    input.files = transfer.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  };
  const activeFiles = () => {  // what is pasted goes to the first empty drop zone, otherwise to the first one
    const zones = [...document.querySelectorAll('[data-drop]')].filter(zone => zone.offsetParent);
    return (zones.find(zone => zone.matches('.bf-drop')) || zones[0])?.dataset.drop;
  };

  const dialog = {
    open(box) {
      dialog.back = document.activeElement;
      box.hidden = false;
      (box.querySelector('input, [autofocus]') || box.querySelector('button'))?.focus();
    },
    close(box) { box.hidden = true; dialog.back?.focus(); },
  };

  async function paste(id) {
    try {
      const files = [];
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find(name => name.startsWith('image/'));
        if (type) files.push(new File([await item.getType(type)], `pasted.${type.split('/')[1]}`, { type }));
      }
      if (files.length) return give(id, files);
      say(words.nothing_pasted);
    } catch { say(words.paste_refused); }
  }

  const say = text => {
    const box = document.createElement('div');
    box.className = 'bf-toasts';
    box.innerHTML = '<div class="bf-toast bf-toast--warn" role="status"><span></span><div><b></b></div></div>';
    box.querySelector('b').textContent = text;
    document.body.append(box);
    setTimeout(() => box.remove(), 7000);
  };

  // which gallery: a cookie, so that pictures and downloads come from the same one; in a Space's frame it must go along
  const within = window === window.top ? 'SameSite=Strict' : 'SameSite=None; Secure; Partitioned';
  const turnTo = name => {
    document.cookie = `byteface_gallery=${encodeURIComponent(name)}; path=/; max-age=31536000; ${within}`;
    const url = new URL(location);
    url.searchParams.delete('person');
    history.replaceState({}, '', url);
    visit();
  };
  // what somebody searches for: a cookie that goes with the browser, the same in every field of the page
  document.addEventListener('input', event => {
    if (!event.target.matches('[data-purpose]')) return;
    document.cookie = `byteface_purpose=${encodeURIComponent(event.target.value)}; path=/; ${within}`;
    document.querySelectorAll('[data-purpose]').forEach(field => { field.value = event.target.value; });
  });
  document.addEventListener('submit', event => {  // a download: the page stays, its question goes
    if (event.target.matches('[data-dialog-submit]')) event.target.closest('.bf-modal').hidden = true;
  });
  document.addEventListener('submit', async event => {
    const form = event.target.closest('[data-gallery-new]');
    if (!form) return;
    event.preventDefault();
    const name = new FormData(form).get('name').trim();
    const answer = await fetch('galleries', {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name }),
    });
    if (answer.ok) turnTo(name); else say((await answer.json()).detail);
  });

  // tabs that somebody's role does not open: a style sheet hides those in the bar, those in its menu have no name there
  document.addEventListener('click', () => setTimeout(() => {
    const names = [...document.querySelectorAll('#bf-tabs .tab-container.visually-hidden > button')];
    const shut = ($('.bf-top')?.dataset.shut || '').split(',').filter(Boolean).map(place => names[place]?.textContent);
    document.querySelectorAll('#bf-tabs .overflow-dropdown > button').forEach(button => {
      button.style.display = shut.includes(button.textContent) ? 'none' : '';
    });
  }), true);
  // an upload that was cut off: in our words, instead of Gradio's own message, which comes at the same time
  const cutOff = () => {
    document.body.classList.add('bf-cut');
    setTimeout(() => document.body.classList.remove('bf-cut'), 15000);
    say(words.upload_cut);
  };
  // a login that ended while the page was open, or more than one may ask
  const ask = window.fetch.bind(window);
  window.fetch = async (...what) => {
    const answer = await ask(...what).catch(problem => {
      if (/\/upload\b/.test(what[0]?.url || what[0])) cutOff();
      throw problem;
    });
    if (new URL(answer.url || location).origin === location.origin) {
      if (answer.status === 401) location.assign(`login?next=${encodeURIComponent(`/${location.search}`)}`);
      if (answer.status === 429) say(words.too_often);
    }
    return answer;
  };

  Object.assign(window, { bytefaceGive: give, bytefaceSay: say });

  window.bytefaceSay = say;
  window.bytefaceGive = give;

  async function camera(id) {
    const box = $('#camera-dialog');
    const video = $('video', box);
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } }, audio: false });
    } catch { return say(words.camera_refused); }
    video.srcObject = stream;
    await video.play();
    dialog.open(box);
    const stop = () => { stream.getTracks().forEach(track => track.stop()); video.srcObject = null; dialog.close(box); };
    box.onclick = event => {
      if (event.target.closest('[data-shoot]')) {
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
        canvas.getContext('2d').drawImage(video, 0, 0);
        canvas.toBlob(blob => {
          const name = `webcam-${new Date().toISOString().slice(0, 19).replace(/[T:]/g, '-')}.jpg`;
          give(id, [new File([blob], name, { type: 'image/jpeg' })]);
        }, 'image/jpeg', 0.95);
        stop();
      } else if (event.target.closest('[data-dialog-close]')) stop();
    };
    box.onkeydown = event => { if (event.key === 'Escape') stop(); };
  }

  document.addEventListener('click', event => {
    const target = event.target.closest(
      '[data-theme-toggle],[data-copy-link],[data-draw],[data-pick],[data-paste],[data-camera],[data-tab],[data-person],[data-gallery],[data-dialog],'
      + '[data-dialog-close],[data-tab-id]');
    if (!target) return;
    if (target.tagName === 'A') {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
    }
    const data = target.dataset;
    if ('themeToggle' in data) {
      const dark = document.body.classList.toggle('dark');
      try { localStorage.setItem('byteface-theme', dark ? 'dark' : 'light'); } catch { /* private window */ }
    } else if ('draw' in data) {
      const on = document.body.classList.toggle('bf-drawing');
      target.setAttribute('aria-pressed', on);
      if (on) say(words.draw_now);
    } else if ('copyLink' in data) {
      navigator.clipboard?.writeText(location.href).then(() => say(words.link_copied), () => say(location.href));
    } else if (data.pick) $(`#${data.pick} input[type=file]`)?.click();
    else if (data.paste) paste(data.paste);
    else if (data.camera) camera(data.camera);
    else if (data.tab) go(data.tab, data.part);
    else if (data.person) go('gallery', data.person);
    else if (data.gallery) turnTo(data.gallery);
    else if (data.tabId && !turning) go(data.tabId);
    else if (data.dialog) dialog.open($(`#${data.dialog}`));
    else if ('dialogClose' in data) dialog.close(target.closest('.bf-modal'));
  });
  document.addEventListener('input', event => {
    const field = event.target.closest('[data-confirm]');
    if (field) $('.bf-btn--danger', field.closest('.bf-dialog')).disabled = field.value.trim() !== field.dataset.confirm;
  });
  document.addEventListener('keydown', event => {
    const box = event.key === 'Escape' && [...document.querySelectorAll('.bf-modal')].find(modal => !modal.hidden);
    if (box && box.id !== 'camera-dialog') dialog.close(box);
  });
  document.addEventListener('keydown', event => {
    if (!(event.ctrlKey || event.metaKey) || event.key !== 'z' || event.target.closest('input, textarea')) return;
    const undo = [...document.querySelectorAll('.bf-toast:not([hidden]) [data-act=undo]')].pop();
    if (undo) { event.preventDefault(); undo.click(); }
  });
  // arrows count on from where they will have led, though the page may not have drawn that yet
  let stepped = { to: 0, at: -Infinity };
  const step = by => {
    const faces = [...document.querySelectorAll('.bf-facebtn')];
    if (!faces.length) return false;
    const drawn = faces.findIndex(face => face.getAttribute('aria-pressed') === 'true');
    const from = performance.now() - stepped.at < 1500 ? stepped.to : drawn;
    stepped = { to: (from + by + faces.length) % faces.length, at: performance.now() };
    faces[stepped.to].click();
    return true;
  };
  document.addEventListener('click', event => { if (event.isTrusted) stepped.at = -Infinity; });
  // letters work only while the picture, the faces or the inspector have the focus (WCAG 2.1.4)
  document.addEventListener('keydown', event => {
    if (!event.target.closest('#bf-stage, #bf-faces, #bf-inspector') || event.target.matches('input, textarea')) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.toLowerCase();
    const press = selector => { const button = $(selector); button?.click(); return !!button; };
    const done = key === 'arrowleft' ? step(-1) : key === 'arrowright' ? step(1)
      : /^[1-9]$/.test(key) ? (stepped.at = -Infinity, press(`.bf-facebtn[data-i="${key - 1}"]`))
      : key === 'c' ? press('#bf-inspector [data-act=compare]')
      : key === 'y' ? press('#bf-inspector [data-act=confirm]')
      : key === 'n' ? press('#bf-inspector [data-act=reject]')
      : key === 'd' ? press('[data-draw]') : false;
    if (done) event.preventDefault();
  });
  document.addEventListener('keydown', event => {
    if (event.key === '/' && !event.target.closest('input, textarea')) {
      const field = $('#bf-query textarea, #bf-query input');
      if (field?.offsetParent) { event.preventDefault(); field.focus(); }
    }
    if (event.key === 'Escape') document.body.classList.remove('bf-drawing');
  });
  document.addEventListener('click', event => {
    document.querySelectorAll('.bf-menu[open]').forEach(menu => {
      if (!menu.contains(event.target) || event.target.closest('a, [data-dialog]')) menu.open = false;
    });
  });
  document.addEventListener('dragover', event => {
    const zone = event.target.closest?.('[data-drop]');
    if (!zone) return;
    event.preventDefault();
    zone.classList.add('bf-drop--over');
  });
  document.addEventListener('dragleave', event => event.target.closest?.('[data-drop]')?.classList.remove('bf-drop--over'));
  document.addEventListener('drop', event => {
    const zone = event.target.closest?.('[data-drop]');
    if (!zone) return;
    event.preventDefault();
    zone.classList.remove('bf-drop--over');
    give(zone.dataset.drop, event.dataTransfer.files);
  });
  document.addEventListener('paste', event => {
    const files = event.clipboardData?.files;
    const id = activeFiles();
    if (files?.length && id) { event.preventDefault(); give(id, files); }
  });

  const ready = () => { if (document.body) paint(); };
  document.readyState === 'loading' ? addEventListener('DOMContentLoaded', ready) : ready();
})();
