// The page behind the address in a card's code: judges the fragment here, in the browser. The fragment goes nowhere.
// The root key comes from the same server as this page, so that this can be no more genuine than the website is: the
// page says so. Partners pin the root once instead.

import { newScanner } from './engine.js';
import { byId, el, fill, fromHex, nowSeconds, timeText } from './format.js';
import { request, requestJson } from './http.js';
import { identity, panel } from './verdict.js';

const MESSAGES = {
  ok: '这是联合会签发的志愿服务证，现在有效。',
  malformed: '地址里的二维码内容没有读完整，或者这不是志愿服务证。请把证件放平，再扫一次。',
  unknown_key: '联合会的名单里没有签发这张证的单位。它可能不是联合会发的，请向联合会核实。',
  bad_signature: '二维码的内容与签发时不符，可能被改动过。请再扫一次；仍是这样，请告知联合会。',
  key_compromised: '这一批志愿服务证已经作废。持证人可以联系联合会换发。',
  key_not_valid: '这张证的签发时间不对，不能认可。请告知联合会。',
  not_yet_valid: '这张证的签发时间晚于现在。请先看手机的日期和时间对不对。',
  revoked: '这张证已注销，不能再用。持证人可以联系联合会。',
  suspended: '这张证已暂停使用。持证人可以联系联合会。',
  superseded: '这张证已换发新证，旧证不能再用。请看新的志愿服务证。',
};

async function start() {
  const code = decode(location.hash);
  byId('about').hidden = Boolean(code);
  byId('meaning').hidden = true;
  byId('result').hidden = !code;
  if (!code) {
    // Who to ask is worth having, and nothing is lost without it.
    requestJson('v1/federation').then(introduce, () => {});
    return;
  }
  fill(byId('result'), el('p', { class: 'status-line', text: '正在核对…' }));
  try {
    const [federation, bundle, scanner] = await Promise.all([
      requestJson('v1/federation'),
      request('v1/bundle', { headers: { Accept: 'application/cose' } }),
      newScanner(),
    ]);
    introduce(federation);
    scanner.trustNew(fromHex(federation.root_public_key));
    scanner.trustAccept(bundle.bytes);
    draw(scanner.judge(code, { now: nowSeconds(), maxAge: null, uses: {} }), federation);
  } catch (error) {
    unable(error);
  }
}

/** The code in the fragment, or an empty string. */
function decode(hash) {
  try {
    return /\d/.test(hash) ? decodeURIComponent(hash) : '';
  } catch (_) {
    return hash;
  }
}

function introduce({ name, phone }) {
  byId('federation').textContent = `${name} · 扫码验真`;
  if (phone) byId('contact').append(`电话 ${phone}`);
}

function draw(verdict, federation) {
  const own = MESSAGES[verdict.reason];
  const shown = { ...verdict, message: own || verdict.message.replace('请勿给予优惠，请持证人', '持证人可以'), holder_check: undefined };
  if (verdict.reason === 'ok') Object.assign(shown, { word: '有效', reason: 'shown' });
  const box = byId('result');
  Object.assign(box.dataset, { verdict: verdict.verdict, reason: verdict.reason });
  fill(box, panel(shown, 'h2'), identity(shown),
    verdict.status ? el('p', { class: 'status-line', text: `数据时间 ${timeText(Date.parse(verdict.status.as_of))}` }) : null);
  byId('meaning').hidden = verdict.verdict === 'reject';
  byId('about').hidden = verdict.verdict !== 'reject';
  fill(byId('proves'),
    el('li', { text: `这张证是${federation.name}签发的，内容没有改动过。` }),
    el('li', { text: verdict.verdict === 'accept' ? '到上面的数据时间为止，它没有被注销或暂停。' : '它现在是否注销，暂时不能确定，请稍后再扫。' }));
}

function unable(error) {
  const box = byId('result');
  Object.assign(box.dataset, { verdict: 'caution', reason: error.offline ? 'offline' : 'unavailable' });
  fill(box, panel({
    verdict: 'caution',
    reason: 'unavailable',
    word: '还没有核对',
    message: error.offline
      ? '现在没有网络，不能核对这张证。请联网后点「再核对一次」。合作单位登记过的扫码页断网也能用。'
      : '现在不能核对这张证。请稍后点「再核对一次」；仍是这样，请更新浏览器，或告知联合会。',
  }, 'h2'), el('button', { type: 'button', class: 'wide main', id: 'again', text: '再核对一次', on: { click: start } }));
}

addEventListener('hashchange', start);
addEventListener('online', () => { if (byId('again')) start(); });
start();
