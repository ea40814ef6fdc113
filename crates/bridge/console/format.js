// Words and numbers for people: durations, dates, and the names that the API gives as codes.

export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const rest = String(seconds % 60).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${rest}`;
}

const locale = 'en-GB';
const dateTime = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' });
const dateOnly = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', year: 'numeric' });
const weekday = new Intl.DateTimeFormat(locale, { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

export const when = (ms) => dateTime.format(new Date(ms));

/** The due time of a task is a local wall-clock time without a zone, which is how Date reads it. */
export const due = (text) => (Number.isNaN(Date.parse(text)) ? text : weekday.format(new Date(text)));

export function day(text) {
  const date = new Date(`${text}T00:00`);
  return Number.isNaN(date.getTime()) ? text : dateOnly.format(date);
}

export function age(text, now) {
  const born = new Date(`${text}T00:00`);
  const today = new Date(now);
  if (Number.isNaN(born.getTime())) return null;
  const had = today.getMonth() > born.getMonth()
    || (today.getMonth() === born.getMonth() && today.getDate() >= born.getDate());
  return today.getFullYear() - born.getFullYear() - (had ? 0 : 1);
}

/** "advice_given" becomes "Advice given". */
export function words(code) {
  const text = String(code ?? '').replaceAll('_', ' ').trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export const grouped = (secret) => String(secret).replace(/\s/g, '').match(/.{1,4}/g)?.join(' ') ?? '';

export const URGENCY = {
  emergency: { word: 'Emergency', icon: 'emergency' },
  urgent: { word: 'Urgent', icon: 'urgent' },
  routine: { word: 'Routine', icon: 'routine' },
};

export const LANGUAGES = { en: 'English', es: 'Spanish', zh: 'Chinese', fr: 'French', de: 'German', ar: 'Arabic' };

export const SKILLS = {
  scheduling: 'Scheduling', clinical: 'Clinical', mr_safety: 'MR safety', crisis: 'Crisis', interpreter: 'Interpreter',
};

export const OUTCOMES = {
  resolved: 'Resolved', booked: 'Booked', advice_given: 'Advice given', emergency_services: 'Emergency services', call_back: 'Call back', other: 'Other',
};

export const HAPPENINGS = {
  red_flag: 'emergency', barge_in: 'caller', action: 'check', problem: 'urgent', taken: 'provider', handed_back: 'back', provider_lost: 'lost',
};
