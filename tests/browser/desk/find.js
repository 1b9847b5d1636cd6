// How people find things on a page: by words. Put into the page for each question by page.rs; `kind` is what is looked
// for, `words` what it says. Returns the element, or null.
const squeeze = (text) => (text ?? '').replace(/[\s*]+/g, ' ').trim();
const seen = (element) => element.checkVisibility({visibilityProperty: true}) || element.type === 'file';
const name = (element) => squeeze(element.getAttribute('aria-label')
  || element.getAttribute('aria-labelledby')?.split(/\s+/).map((id) => document.getElementById(id)?.textContent).join(' ')
  || [...(element.labels ?? [])].map((label) => {
    const copy = label.cloneNode(true);
    for (const inner of copy.querySelectorAll('select, textarea, .help, .error')) inner.remove();
    return copy.textContent;
  }).join(' ')
  || element.title); // a hint inside a field is no label
// Exactly so before beginning so before containing it; of equals the first on the page.
const best = (elements, text) => {
  const wanted = squeeze(words);
  const shown = elements.filter(seen);
  return shown.find((one) => text(one) === wanted) ?? shown.find((one) => text(one).startsWith(wanted))
    ?? shown.find((one) => text(one).includes(wanted)) ?? null;
};
const scope = document.querySelector('dialog[open]') ?? document;
if (kind === 'field') {
  const fields = 'input:not([type=hidden]):not([type=submit]):not([type=button]), select, textarea';
  return best([...scope.querySelectorAll(fields)], name);
}
// Buttons, links, what opens and closes, ticks and tabs; the main part before the navigation.
const press = 'button, a[href], summary, input[type=submit], input[type=button], [role=button], [role=tab]';
const said = (element) => squeeze(element.innerText) || squeeze(element.value) || name(element);
const main = document.querySelector('main');
const inside = [...(scope === document ? main ?? document : scope).querySelectorAll(press)];
const around = scope === document ? [...document.querySelectorAll(press)] : [];
const ticks = [...scope.querySelectorAll('input[type=checkbox], input[type=radio]')];
return best(inside, said) ?? best(ticks, name) ?? best(around, said);
