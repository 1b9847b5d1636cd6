// What the page says. One word for one thing; a refusal says what is so and what to do.

const STARS = ['注册志愿者', '一星级志愿者', '二星级志愿者', '三星级志愿者', '四星级志愿者', '五星级志愿者'];

export const starWords = (star) => STARS[star] || STARS[0];

/** Symbol and word of an answer. */
export const VERDICTS = {
  accept: { symbol: 'check', word: '可用' },
  caution: { symbol: 'mark', word: '请核实' },
  reject: { symbol: 'cross', word: '不可用' },
  other: { symbol: 'question', word: '不是志愿服务证' },
};

const NOT_A_CARD = ['malformed', 'number_wrong'];

/** Which look a verdict has: what is no card of ours is nobody's fault and not red. */
export const lookOf = (verdict) => (NOT_A_CARD.includes(verdict.reason) ? 'other' : verdict.verdict);

export const KINDS = { free: '免费', discount: '优惠', priority: '优先' };

const NUMERALS = ['零', '一', '二', '三', '四', '五'];

/** Why an offer is not to be given now. */
export function ineligibleWords(offer) {
  const limits = offer.limits || {};
  switch (offer.reason) {
    case 'star_too_low':
      return offer.min_star ? `星级不足，须${NUMERALS[offer.min_star]}星及以上` : '星级不足';
    case 'not_yet': return '优惠还没有开始';
    case 'over': return '优惠已结束';
    case 'not_today': return '今天不在优惠日';
    case 'not_in_hours': return '不在优惠时段';
    case 'status_too_old': return '数据已旧，请联网更新后再扫';
    case 'used_today': return limits.per_day > 1 ? `今日已享受 ${limits.per_day} 次` : '今日已享受';
    case 'used_this_month': return limits.per_month > 1 ? `本月已享受 ${limits.per_month} 次` : '本月已享受';
    case 'used_up': return limits.in_all > 1 ? `已享受完 ${limits.in_all} 次` : '已享受过';
    default: return '现在不能享受';
  }
}

/** How often, for an eligible offer; empty if without limit. */
export function limitWords(limits) {
  if (!limits) return '';
  const parts = [['per_day', '每日'], ['per_month', '每月'], ['in_all', '总共']];
  return parts.filter(([key]) => limits[key]).map(([key, word]) => `${word} ${limits[key]} 次`).join('，');
}

/** How a number stands: a verdict-like answer for the screen. Nobody's card has been seen. */
export function numberVerdict(result) {
  const { standing } = result;
  const good = standing === 'valid';
  const message = result.message || NUMBER_STANDINGS[standing] || NUMBER_STANDINGS.unknown;
  return {
    verdict: good ? 'caution' : 'reject',
    reason: `number_${standing}`,
    message,
    certificate: { number: result.number, star: result.star, holder: result.holder, expires_at: result.expires_at },
    holder_check: good && !message.includes('出示') ? '请持证人出示志愿服务证，扫码后再给优惠' : undefined,
  };
}

const NUMBER_STANDINGS = {
  valid: '这个编号的志愿服务证有效。请持证人出示证件，扫码后再给优惠。',
  revoked: '这个编号的志愿服务证已注销。请勿给予优惠，可告知持证人联系联合会。',
  suspended: '这个编号的志愿服务证已暂停使用。请勿给予优惠，可告知持证人联系联合会。',
  superseded: '这个编号的证已换发新证。请持证人出示新的志愿服务证。',
  expired: '这个编号的志愿服务证已过有效期。请勿给予优惠，请持证人联系联合会换发。',
  unknown: '联合会没有发过这个编号。请对照证件再输一次；仍是这样，请勿给予优惠。',
};

/** Answers that the page gives by itself. */
export const OWN = {
  numberWrong: (number) => ({
    verdict: 'reject', reason: 'number_wrong', word: '编号有误',
    message: '编号输错了：末位校验对不上。请对照证件上的编号再输一次。',
    certificate: { number },
  }),
  numberOffline: (number) => ({
    verdict: 'caution', reason: 'number_offline', word: '暂时查不到',
    message: '编号写得对，但现在没有网络，查不到这个证。请扫证件上的二维码，断网也能核对。',
    certificate: { number },
  }),
  numberNode: (number) => ({
    verdict: 'caution', reason: 'number_scan', word: '请扫二维码',
    message: '编号写得对，但只凭编号不能核对。请扫证件上的二维码。',
    certificate: { number },
  }),
  noCodeInPhoto: {
    verdict: 'reject', reason: 'malformed',
    message: '照片里没有读到二维码。请把证件放平、光线均匀，让二维码占画面一半左右，再拍一张。',
    word: '没有读到二维码',
  },
  failed: (message) => ({ verdict: 'caution', reason: 'unavailable', word: '还没有核对', message }),
};

/** What became of a use, for the history. */
export function useState(use) {
  if (use.reversed) return { key: 'reversed', word: '已撤销' };
  if (use.state === 'refused') return { key: 'refused', word: `上报被退回：${use.note || '内容不符'}` };
  if (use.state === 'queued') return { key: 'queued', word: '待上报' };
  return { key: 'sent', word: use.note ? `已上报 · ${use.note}` : '已上报' };
}

const OUTCOMES = { conflict: '编号重复，请告知联合会', refused: '内容或时间不符，请检查本机时间' };
const STANDINGS = {
  revoked: '当时该证已注销', suspended: '当时该证已暂停', superseded: '当时该证已换发', expired: '当时该证已过期',
  unknown: '联合会查无此证',
};

/** What the federation remarked on a use; empty for nothing. */
export function remarkOf(result) {
  const parts = [OUTCOMES[result.outcome], STANDINGS[result.standing], result.over_limit ? '超过次数' : ''];
  return parts.filter(Boolean).join('，');
}
