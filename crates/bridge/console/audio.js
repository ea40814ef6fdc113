// The sound of a call: microphone, peer connection, the caller's voice, and the level of one's own voice.
// It lives apart from the views, so that looking at a task list does not end a conversation.

import { byId } from './dom.js';
import { callPath, post } from './api.js';

const GATHERING_MS = 2000;
const WANTED = { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true }, video: false };

const REFUSALS = {
  NotAllowedError: 'The browser was not allowed to use the microphone. Allow it at the left end of the address bar.',
  NotFoundError: 'No microphone was found. Plug in a headset.',
  NotReadableError: 'Another program holds the microphone. Close that program.',
  Insecure: 'The browser gives the microphone only to a page opened with https.',
};

/** state: off | connecting | connected | lost | refused; call: the id of the call it belongs to. */
export const audio = { state: 'off', call: null, text: '', muted: false };

const listeners = new Set();
let link = null;
let attempt = 0;

export function onAudio(work) {
  listeners.add(work);
}

function become(state, text) {
  audio.state = state;
  audio.text = text;
  for (const work of listeners) work(audio);
}

/** Asks for the microphone at once; the caller of this attaches the promise to a call later. */
export function openMicrophone() {
  const promise = navigator.mediaDevices?.getUserMedia
    ? navigator.mediaDevices.getUserMedia(WANTED)
    : Promise.reject(Object.assign(new Error('insecure'), { name: 'Insecure' }));
  // The refusal is looked at when the claim has been answered, which may be later.
  promise.catch(() => {});
  return promise;
}

export function closeMicrophone(promise) {
  promise.then(stopTracks, () => {});
}

const stopTracks = (media) => media.getTracks().forEach((track) => track.stop());

/** Marks the call as the one whose sound is being set up. */
export function expectAudio(call) {
  stop();
  audio.call = call;
  audio.muted = false;
  become('connecting', 'Asking for the microphone');
}

/** Connects the microphone with the call. Whatever comes of it is told through the state. */
export async function connect(call, microphone) {
  attempt += 1;
  const mine = attempt;
  const stale = () => mine !== attempt;
  let local;
  try {
    local = await microphone;
  } catch (error) {
    if (!stale()) become('refused', `${REFUSALS[error.name] ?? 'The microphone could not be opened.'} Then try again, or hand the caller back.`);
    return;
  }
  if (stale()) {
    stopTracks(local);
    return;
  }
  become('connecting', 'Connecting the sound');
  try {
    await join(call, local, stale);
  } catch (error) {
    if (stale()) return;
    release();
    become('lost', error.status === undefined ? 'The sound could not be connected.' : error.message);
  }
}

async function join(call, local, stale) {
  const peer = new RTCPeerConnection({ iceServers: [] });
  const remote = new MediaStream();
  link = { peer, local, remote, meter: openMeter(local) };
  window.radlineAudio = { peer, remote, local };
  const track = local.getAudioTracks()[0];
  track.enabled = !audio.muted;
  track.onended = () => { if (!stale()) become('lost', 'The microphone was disconnected.'); };
  peer.addTransceiver(track, { direction: 'sendrecv', streams: [local] });
  peer.ontrack = (event) => hear(event.track, remote);
  peer.onconnectionstatechange = () => { if (!stale()) follow(peer); };
  await peer.setLocalDescription(await peer.createOffer());
  await gathered(peer);
  if (stale()) return;
  const answer = await post(callPath(call, '/audio'), { sdp: peer.localDescription.sdp });
  if (stale()) return;
  await peer.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
}

function hear(track, remote) {
  remote.addTrack(track);
  const player = byId('caller-audio');
  player.srcObject = remote;
  player.play().catch(() => {});
}

function follow(peer) {
  const state = peer.connectionState;
  if (state === 'connected') become('connected', audio.muted ? 'Connected, you are muted' : 'Connected');
  else if (state === 'disconnected') become('lost', 'The sound is interrupted. The browser is trying to get it back.');
  else if (state === 'failed') become('lost', 'The sound was lost. The caller cannot hear you.');
}

/** There is no trickling: the offer is sent when all addresses are known, or after two seconds. */
function gathered(peer) {
  if (peer.iceGatheringState === 'complete') return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHERING_MS);
    peer.addEventListener('icegatheringstatechange', () => {
      if (peer.iceGatheringState !== 'complete') return;
      clearTimeout(timer);
      resolve();
    });
  });
}

export function setMuted(muted) {
  audio.muted = muted;
  for (const track of link?.local.getAudioTracks() ?? []) track.enabled = !muted;
  const text = audio.state === 'connected' ? (muted ? 'Connected, you are muted' : 'Connected') : audio.text;
  become(audio.state, text);
}

function release() {
  if (!link) return;
  link.peer.onconnectionstatechange = null;
  link.peer.close();
  stopTracks(link.local);
  link.meter?.context.close();
  link = null;
  byId('caller-audio').srcObject = null;
  delete window.radlineAudio;
}

/** Ends the sound for good: the call was handed back, ended, or taken by somebody else. */
export function stop() {
  attempt += 1;
  release();
  audio.call = null;
  audio.muted = false;
  become('off', '');
}

/** Drops what is left of the sound and asks for the microphone again. */
export function tryAgain(call) {
  const { muted } = audio;
  expectAudio(call);
  audio.muted = muted;
  return connect(call, openMicrophone());
}

function openMeter(local) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(local).connect(analyser);
  context.resume().catch(() => {});
  return { context, analyser, samples: new Float32Array(analyser.fftSize) };
}

/** The level of one's own voice from 0 to 1, on a scale of decibels as an ear hears it. */
export function level() {
  if (!link?.meter || audio.muted) return 0;
  const { analyser, samples } = link.meter;
  analyser.getFloatTimeDomainData(samples);
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const decibels = 10 * Math.log10(sum / samples.length + 1e-9);
  return Math.min(1, Math.max(0, (decibels + 60) / 50));
}
