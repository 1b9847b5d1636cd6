// What a typed or scanned line may be. Whether a number's check digit holds is the core's to say.

/** Folds full-width digits, drops blanks; what is left of a typed or scanned line. */
export function foldDigits(text) {
  return text
    .replace(/[\uFF10-\uFF19]/g, (digit) => String(digit.charCodeAt(0) - 0xff10))
    .replace(/[\s\u200B\uFEFF]/g, '');
}

/** `code` for what may be a scanned code, `number` for ten digits, `short` for anything else. */
export function kindOf(text) {
  const folded = foldDigits(text);
  if (/^\d{10}$/.test(folded)) return 'number';
  const digits = folded.replace(/\D/g, '').length;
  return digits > 40 || /[#＃:/]/.test(folded) ? 'code' : 'short';
}
