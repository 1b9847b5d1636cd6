// The console works without this. It spares a few clicks and keeps what was typed.

// A form that is being sent is not sent twice.
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.dataset.sent === 'yes') {
    event.preventDefault();
    return;
  }
  if (form.method !== 'get' && !form.hasAttribute('hx-post')) {
    form.dataset.sent = 'yes';
    setTimeout(() => { form.dataset.sent = ''; }, 10000);
  }
});

// Back in the history: forms can be sent again.
window.addEventListener('pageshow', () => {
  for (const form of document.forms) form.dataset.sent = '';
});

// A form with unsaved input asks before it is left: data-guard on the form.
let dirty = false;
document.addEventListener('input', (event) => {
  if (event.target.form?.hasAttribute('data-guard')) dirty = true;
});
document.addEventListener('submit', () => { dirty = false; });
window.addEventListener('beforeunload', (event) => {
  if (dirty) event.preventDefault();
});

// Keyboard: "/" goes to the search of the page, data-search on the field.
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? '')) return;
  const search = document.querySelector('[data-search]');
  if (search) {
    event.preventDefault();
    search.focus();
    search.select?.();
  }
});

// One box ticks all: data-all="name" on the box in the table's head.
document.addEventListener('change', (event) => {
  const name = event.target.dataset?.all;
  if (!name) return;
  for (const box of document.getElementsByName(name)) box.checked = event.target.checked;
});

// A filter applies as soon as it is chosen: data-at-once on the form.
document.addEventListener('change', (event) => {
  if (event.target.tagName === 'SELECT') event.target.closest('form[data-at-once]')?.requestSubmit();
});

// Printing is a button where there is a printer: data-print.
document.addEventListener('click', (event) => {
  if (event.target.closest('[data-print]')) window.print();
});

// The first field that is wrong gets the caret.
document.querySelector('[aria-invalid="true"]')?.focus();
