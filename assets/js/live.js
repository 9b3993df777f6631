// js_on_load of the live search: the camera, one frame at a time to Python, boxes over the video. No frame is kept.
const part = name => element.querySelector(`[data-live-${name}]`);
const canvas = document.createElement('canvas');
let stream = null, id = '', key = null, failed = 0, answered = [];

const draw = () => {
  const video = element.querySelector('video');
  const scale = Math.min(1, 640 / Math.max(video.videoWidth, video.videoHeight));
  [canvas.width, canvas.height] = [Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale)];
  canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
};
const stop = () => {
  stream?.getTracks().forEach(track => track.stop());
  if (stream && id) server.live_frame({ id, stop: true });  // the last moments are forgotten at once
  stream = null;
  key = null;
  const video = element.querySelector('video');
  if (video) video.srcObject = null;
  if (part('over')) part('over').innerHTML = '';
  if (part('panel')) part('panel').innerHTML = '';
  const still = element.querySelector('.bf-live__frame');
  if (still) { still.width = 0; still.hidden = true; }
  document.body.classList.remove('bf-living');
  const box = element.querySelector('.bf-live');
  if (box) box.hidden = true;
  canvas.width = canvas.height = 0;
};
const show = (answer, took) => {
  // where answers take long the frame that was searched is shown: a box must never stand on another face
  const still = element.querySelector('.bf-live__frame');
  still.hidden = took < 120;
  if (!still.hidden) {
    [still.width, still.height] = [canvas.width, canvas.height];
    still.getContext('2d').drawImage(canvas, 0, 0);
  }
  part('over').innerHTML = answer.boxes;
  const panel = part('panel');
  if (answer.key !== key) {  // pictures are fetched again only when somebody else is said
    panel.innerHTML = answer.panel;
    key = answer.key;
  } else {
    for (const [name, html] of Object.entries(answer.parts)) {
      const place = panel.querySelector(`[data-part="${name}"]`);
      if (place && place.dataset.was !== html) { place.innerHTML = html; place.dataset.was = html; }
    }
  }
  const now = performance.now();
  answered = [...answered.filter(then => now - then < 3000), now];
  const rate = answered.length > 1 ? (answered.length - 1) / (now - answered[0]) * 1000 : 0;
  const digits = { maximumFractionDigits: rate < 10 ? 1 : 0 };
  part('rate').textContent = part('rate').dataset.words.replace('{rate}', rate.toLocaleString(navigator.language, digits));
};
const beat = async own => {
  while (stream && stream === own) {
    const video = element.querySelector('video');
    if (!element.offsetParent) return stop();  // another tab of the page: nobody looks, so the camera goes off
    if (!document.hidden && video.videoWidth) {
      draw();
      const asked = performance.now();
      try {
        const answer = await server.live_frame({ id, frame: canvas.toDataURL('image/jpeg', 0.85), language: navigator.language });
        if (stream !== own) return;
        id = answer.id;
        if (answer.error) throw new Error(answer.error);
        if (!answer.busy) { show(answer, performance.now() - asked); failed = 0; }
      } catch (error) {
        failed += 1;
        if (failed > 3) { stop(); return window.bytefaceSay(error.message); }
      }
    }
    await new Promise(done => setTimeout(done, 40));
  }
};
const start = async () => {
  if (stream) return;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } }, audio: false });
  } catch { return window.bytefaceSay(window.bytefaceWords.camera_refused); }
  [id, key, failed, answered] = ['', null, 0, []];
  document.body.classList.add('bf-living');
  element.querySelector('.bf-live').hidden = false;
  const video = element.querySelector('video');
  video.srcObject = stream;
  stream.getVideoTracks()[0].addEventListener('ended', stop);
  await video.play();
  const picture = element.querySelector('.bf-pic');
  picture.style.setProperty('--w', video.videoWidth);
  picture.style.setProperty('--h', video.videoHeight);
  part('stop').focus();
  beat(stream);
};
const keep = () => {
  const video = element.querySelector('video');
  const whole = document.createElement('canvas');
  [whole.width, whole.height] = [video.videoWidth, video.videoHeight];
  whole.getContext('2d').drawImage(video, 0, 0);
  whole.toBlob(blob => {
    const name = `webcam-${new Date().toISOString().slice(0, 19).replace(/[T:]/g, '-')}.jpg`;
    window.bytefaceGive('probe-files', [new File([blob], name, { type: 'image/jpeg' })]);
  }, 'image/jpeg', 0.95);
  stop();
};
document.addEventListener('click', event => { if (event.target.closest('[data-live]')) start(); });
element.addEventListener('click', event => {
  if (event.target.closest('[data-live-stop]')) stop();
  else if (event.target.closest('[data-live-keep]')) keep();
});
element.addEventListener('keydown', event => { if (event.key === 'Escape') stop(); });
addEventListener('pagehide', stop);
