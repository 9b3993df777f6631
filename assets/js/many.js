// js_on_load of the import's drop zone, after acts.js: a folder or several files become one zip here in the browser, with
// their paths, so that the server is always given a single file. Nothing is compressed: photographs are already.
const words = window.bytefaceWords;
const LIMIT = 1e9;
const table = new Uint32Array(256).map((_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xEDB88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});
const crc32 = bytes => {
  let crc = 0xFFFFFFFF;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]) & 0xFF] ^ (crc >>> 8);
  return (crc ^ 0xFFFFFFFF) >>> 0;
};
// one header for both places: the central one has eight fields more (PKWARE APPNOTE 4.3.7 and 4.3.12)
const header = (central, name, crc, size, offset) => {
  const view = new DataView(new ArrayBuffer(central ? 46 : 30));
  view.setUint32(0, central ? 0x02014B50 : 0x04034B50, true);
  let at = 4;
  if (central) { view.setUint16(at, 20, true); at += 2; }
  view.setUint16(at, 20, true); view.setUint16(at + 2, 0x0800, true); at += 6;  // stored; names in UTF-8
  view.setUint32(at, 0x00210000, true); at += 4;  // 1 January 1980
  view.setUint32(at, crc, true); view.setUint32(at + 4, size, true); view.setUint32(at + 8, size, true); at += 12;
  view.setUint16(at, name.length, true);
  if (central) view.setUint32(42, offset, true);
  return view.buffer;
};
const zip = async (entries, tell) => {
  const parts = [], directory = [];
  let offset = 0;
  for (const [n, { path, file }] of entries.entries()) {
    tell(n, entries.length);
    const name = new TextEncoder().encode(path.normalize('NFC'));
    const crc = crc32(new Uint8Array(await file.arrayBuffer()));
    parts.push(header(false, name, crc, file.size, 0), name, file);
    directory.push(header(true, name, crc, file.size, offset), name);
    offset += 30 + name.length + file.size;
  }
  const size = directory.reduce((sum, part) => sum + part.byteLength, 0);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054B50, true);
  end.setUint16(8, entries.length, true); end.setUint16(10, entries.length, true);
  end.setUint32(12, size, true); end.setUint32(16, offset, true);
  return new Blob([...parts, ...directory, end.buffer], { type: 'application/zip' });
};

const zone = () => element.querySelector('[data-many]');
const say = text => { const box = element.querySelector('[data-many-words]'); if (box) box.textContent = text; };
const give = file => {
  say(words.sending);
  window.bytefaceGive(zone().dataset.many, [file]);
};
const pack = async entries => {
  const kept = entries.filter(one => !one.path.split('/').some(part => part.startsWith('.')));
  if (!kept.length) return;
  if (kept.length > 65000 || kept.reduce((sum, one) => sum + one.file.size, 0) > LIMIT) return window.bytefaceSay(words.too_large);
  try {
    const blob = await zip(kept, (n, all) => say(`${words.packing} ${n + 1} / ${all}`));
    const tops = new Set(kept.map(one => one.path.split('/')[0]));
    const name = tops.size === 1 && kept[0].path.includes('/') ? [...tops][0] : 'import';
    give(new File([blob], `${name}.zip`, { type: 'application/zip' }));
  } catch { window.bytefaceSay(words.not_packed); }
};
const below = async (entry, found) => {
  if (entry.isFile) {
    const file = await new Promise((good, bad) => entry.file(good, bad));
    found.push({ path: entry.fullPath.replace(/^\//, ''), file });
    return found;
  }
  const reader = entry.createReader();
  for (;;) {  // a reader gives a hundred at a time
    const some = await new Promise((good, bad) => reader.readEntries(good, bad));
    if (!some.length) return found;
    for (const one of some) await below(one, found);
  }
};

element.addEventListener('click', event => {
  if (event.target.closest('[data-many-folder]')) element.querySelector('input[webkitdirectory]').click();
});
element.addEventListener('change', event => {
  const field = event.target.closest('input[webkitdirectory]');
  if (field) pack([...field.files].map(file => ({ path: file.webkitRelativePath || file.name, file })));
});
element.addEventListener('dragover', event => {
  if (zone()) { event.preventDefault(); zone().classList.add('bf-drop--over'); }
});
element.addEventListener('dragleave', () => zone()?.classList.remove('bf-drop--over'));
element.addEventListener('drop', async event => {
  if (!zone()) return;
  event.preventDefault();
  zone().classList.remove('bf-drop--over');
  const files = [...event.dataTransfer.files];
  const entries = [...event.dataTransfer.items].map(item => item.webkitGetAsEntry?.()).filter(Boolean);
  if (files.length === 1 && /\.zip$/i.test(files[0].name)) return give(files[0]);
  const found = [];
  try { for (const entry of entries) await below(entry, found); } catch { return window.bytefaceSay(words.not_packed); }
  pack(found);
});
