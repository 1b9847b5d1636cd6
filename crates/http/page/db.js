// The device's own memory: IndexedDB. What is written together is written in one transaction, or not at all.
//
// meta    by name: federation, partner, device, trust, settings, key
// uses    offers given, by id; index `number`. They count towards limits as long as the offer lives
// outbox  what the federation has not taken yet, by id; UUIDv7 sorts by time

const NAME = 'zyz';
const MARK = 'zyz-enrolled';

/** Opens the database, or says that there is none to be had. */
export function openDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      const db = request.result;
      db.createObjectStore('meta');
      db.createObjectStore('uses', { keyPath: 'id' }).createIndex('number', 'number');
      db.createObjectStore('outbox', { keyPath: 'id' });
    };
    request.onsuccess = () => {
      // Another tab wants to delete or upgrade: let it.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error('blocked'));
  });
}

/** The result of one request. */
export function want(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Runs `work` in one transaction; resolves once it is on the disk. If `work` throws, nothing was changed. */
export function transact(db, stores, work, mode = 'readwrite') {
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(stores, mode, { durability: 'strict' });
    let result;
    let failure = null;
    transaction.oncomplete = () => resolve(result);
    transaction.onabort = () => reject(failure || transaction.error || new Error('aborted'));
    Promise.resolve(work((name) => transaction.objectStore(name))).then(
      (value) => { result = value; },
      (error) => {
        failure = error;
        try { transaction.abort(); } catch (_) { reject(error); }
      },
    );
  });
}

/** Several entries of `meta` as one object. */
export function readMeta(db, ...names) {
  return transact(db, ['meta'], async (store) => {
    const values = await Promise.all(names.map((name) => want(store('meta').get(name))));
    return Object.fromEntries(names.map((name, place) => [name, values[place]]));
  }, 'readonly');
}

export function writeMeta(db, entries) {
  return transact(db, ['meta'], async (store) => {
    for (const [name, value] of Object.entries(entries)) store('meta').put(value, name);
  });
}

/** Forgets everything: leaving. */
export function forgetAll(db) {
  markEnrolled(false);
  return transact(db, ['meta', 'uses', 'outbox'], async (store) => {
    for (const name of ['meta', 'uses', 'outbox']) store(name).clear();
  });
}

/** A note outside the database, to tell "never enrolled" from "storage was cleared". */
export function markEnrolled(enrolled) {
  try {
    if (enrolled) localStorage.setItem(MARK, '1');
    else localStorage.removeItem(MARK);
  } catch (_) { /* without it the page only knows less */ }
}

export function wasEnrolled() {
  try {
    return localStorage.getItem(MARK) === '1';
  } catch (_) {
    return false;
  }
}
