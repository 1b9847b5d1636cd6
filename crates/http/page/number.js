// The certificate number as people type it. The same rule as in the credential core: ISO 7064 MOD 11-10.

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

/** Whether the check digit of ten digits holds. */
export function checkDigitHolds(number) {
  let product = 10;
  for (const digit of number.slice(0, 9)) {
    const sum = (product + Number(digit)) % 10;
    product = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return Number(number[9]) === (11 - product) % 10;
}
