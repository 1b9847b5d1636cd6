// Everything before the first scan: enrolling by a link, a key for a node, and what to do where something is missing.

import { el, fill, fromBase64Url, fromHex, toHex } from './format.js';
import { askFederation, sendEnrolment } from './local.js';

const MOST_NAME = 40;

/** Takes what the address carries behind `#`, and takes it out of the address and the history at once. */
export function takeFragment() {
  const fragment = location.hash.slice(1);
  const taken = readFragment(fragment);
  // Another application's window keeps it: whoever goes on in a browser, as advised, takes the address along.
  if (taken.enrol && isForeignWindow()) return taken;
  if (fragment) history.replaceState(null, '', location.pathname);
  return taken;
}

/** `{ enrol, root }` of an enrolment link, `{ code }` of a card's code, or nothing. */
export function readFragment(fragment) {
  const fields = new URLSearchParams(fragment);
  if (fields.get('enrol')) return { enrol: fields.get('enrol').trim(), root: (fields.get('root') || '').trim() };
  return /\d{40}/.test(fragment) ? { code: fragment } : {};
}

/** Where the page runs: `browser`, `wechat` or another application's window, `insecure` without https. */
export function surroundings() {
  const agent = navigator.userAgent;
  if (/MicroMessenger/i.test(agent)) return 'wechat';
  if (!window.isSecureContext) return 'insecure';
  if (!('serviceWorker' in navigator)) return 'in-app';
  return 'browser';
}

const isForeignWindow = () => ['wechat', 'in-app'].includes(surroundings());

const OPEN_ELSEWHERE = {
  wechat: '点右上角「···」，选「在浏览器中打开」。',
  'in-app': '请复制本页地址，在手机自带的浏览器里打开。',
  insecure: '本页要用 https 开头的地址打开，或者在本机安装核验程序。',
};

/** Why there is no picture, and what to do. */
export function cameraWords(reason) {
  const where = surroundings();
  const otherwise = '也可以拍照识别、用扫码枪或输入编号。';
  if (reason === 'insecure') return { title: '请在浏览器中打开', text: OPEN_ELSEWHERE.insecure + otherwise };
  if (reason === 'missing' && where !== 'browser') return { title: '请在浏览器中打开', text: OPEN_ELSEWHERE[where] + otherwise };
  if (reason === 'missing') return { title: '请用扫码枪扫描证件', text: '这台设备没有镜头。直接扫就行，不用先点哪里；也可以选一张照片或输入编号。' };
  if (reason === 'denied') {
    return { title: '没有使用镜头的许可', text: `请点地址栏左边的图标，允许使用摄像头，再点「重试」。${otherwise}`, retry: true };
  }
  return { title: '镜头没有打开', text: `可能正被别的应用使用。请关掉它，再点「重试」。${otherwise}`, retry: true };
}

/** The screen before the device is ready. */
export class Welcome {
  constructor(section, book, { onDone }) {
    Object.assign(this, { section, book, onDone });
  }

  show(state, detail) {
    this.section.dataset.state = state;
    const screens = {
      new: () => this.unenrolled('本机还没有登记', '请向联合会索取本单位的登记链接（或二维码），在这台设备上打开一次，以后断网也能用。'),
      lost: () => this.unenrolled('本机的登记数据不在了', '可能清理过浏览器数据，或存储空间不足被系统清除。请向联合会索取新的登记链接，重新登记；没有上报的记录已无法找回。'),
      left: () => this.unenrolled('已退出', '这台设备上的登记、数据和记录都已删除。需要再用时，请向联合会索取新的登记链接。'),
      link: () => (isForeignWindow() ? this.elsewhere(detail) : this.link(detail)),
      key: () => this.key(),
      'no-node': () => this.trouble('核验程序没有应答', '请看这台电脑上的核验程序是否在运行，再点「重试」。'),
      'no-storage': () => this.trouble('浏览器不让本页保存数据', '可能开着无痕（隐私）窗口。请用普通窗口打开，再点「重试」。'),
      broken: () => this.trouble('本页没有完整打开', '请检查网络，再点「重试」；仍是这样，请更新浏览器。'),
    };
    (screens[state] || screens.broken)();
  }

  page(title, ...children) {
    fill(this.section, el('div', { class: 'plain' }, el('h1', { text: title }), children));
  }

  trouble(title, text) {
    this.page(title, el('p', { text }),
      el('button', { type: 'button', class: 'main', id: 'retry', text: '重试', on: { click: () => location.reload() } }));
  }

  unenrolled(title, text) {
    const field = el('input', { id: 'enrol-link', type: 'url', inputmode: 'url', autocomplete: 'off', spellcheck: 'false' });
    const error = el('p', { class: 'error', id: 'enrol-error', role: 'alert', hidden: true });
    const submit = (event) => {
      event.preventDefault();
      const fragment = readFragment((field.value.split('#')[1] || '').trim());
      if (fragment.enrol) this.show('link', fragment);
      else this.fail(error, '这不是登记链接。请整条复制联合会发来的链接，再粘贴到这里。');
    };
    const where = surroundings();
    this.page(title,
      el('p', { text }),
      where === 'browser' ? null : el('p', { class: 'warning', id: 'open-elsewhere' },
        el('strong', { text: '请在浏览器中打开' }), ` ${OPEN_ELSEWHERE[where]}`),
      el('form', { class: 'stack', id: 'enrol-paste', on: { submit } },
        el('label', { for: 'enrol-link', text: '或者把登记链接粘贴到这里' }), field, error,
        el('button', { type: 'submit', class: 'main', text: '下一步' })),
      el('p', { class: 'quiet' }, '只想看一张证是真是假？', el('a', { href: '../', text: '用手机相机扫证上的二维码即可' })));
  }

  /** A link works once: used here, it would be used up in a window that forgets. */
  elsewhere(detail) {
    const here = () => {
      history.replaceState(null, '', location.pathname);
      this.link(detail);
    };
    this.page('请在浏览器中打开',
      el('p', { id: 'open-elsewhere', text: `这里断网后打不开本页。${OPEN_ELSEWHERE[surroundings()]}登记链接只能用一次，请到浏览器里再登记。` }),
      el('button', { type: 'button', class: 'wide', id: 'enrol-here', text: '仍在这里登记', on: { click: here } }));
  }

  async link({ enrol, root }) {
    const bytes = (root.length === 64 ? fromHex(root) : fromBase64Url(root)) || [];
    if (bytes.length !== 32) return this.unenrolled('登记链接不完整', '链接里缺少根公钥，可能复制时断开了。请重新复制整条链接。');
    this.rootHex = toHex(bytes);
    this.page('登记本机', el('p', { text: '正在询问联合会…' }));
    let federation;
    try {
      federation = await askFederation();
    } catch (error) {
      this.page('现在不能登记', el('p', { text: `${error.message}。登记要联网一次。` }),
        el('button', { type: 'button', class: 'main', id: 'retry', text: '重试', on: { click: () => this.link({ enrol, root }) } }));
      return undefined;
    }
    if (federation.root_public_key.toLowerCase() !== this.rootHex) {
      return this.unenrolled('链接与服务器对不上', '链接里的根公钥与这台服务器的不一样，本机没有登记。请核对链接是否来自联合会，并告知联合会。');
    }
    return this.form(enrol, federation);
  }

  form(enrol, federation) {
    const before = this.book.device;
    const name = el('input', {
      id: 'device-name', maxlength: String(MOST_NAME), required: true, autocomplete: 'off', value: before ? before.name : '收银台1',
    });
    const error = el('p', { class: 'error', id: 'enrol-error', role: 'alert', hidden: true });
    const button = el('button', { type: 'submit', class: 'main', id: 'enrol-submit', text: '登记本机' });
    const submit = async (event) => {
      event.preventDefault();
      button.disabled = true;
      error.hidden = true;
      try {
        const enrolment = await sendEnrolment(enrol, name.value.trim() || '收银台1');
        if (enrolment.root_public_key.toLowerCase() !== this.rootHex) throw new Error('服务器给出的根公钥与链接不一样，本机没有登记');
        await this.book.enrol({ rootHex: this.rootHex, federation, enrolment });
        await this.onDone();
      } catch (failure) {
        this.fail(error, `${failure.message}。`.replace(/。。$/, '。'));
        button.disabled = false;
      }
    };
    this.page('登记本机',
      el('dl', { class: 'facts' },
        el('dt', { text: '联合会' }), el('dd', { id: 'federation-name', text: federation.name }),
        el('dt', { text: '根公钥（与联合会给的纸面核对）' }), el('dd', {}, fingerprint(this.rootHex))),
      before ? el('p', { class: 'warning', text: `本机已登记为「${before.name}」。继续会换成新的登记；没有上报的记录会保留。` }) : null,
      el('form', { class: 'stack', id: 'enrol-form', on: { submit } },
        el('label', { for: 'device-name', text: '给这台设备起个名字' }), name, error, button,
        before ? el('button', { type: 'button', id: 'enrol-cancel', text: '不换，继续用原来的', on: { click: () => location.reload() } }) : null));
    name.select();
  }

  key() {
    const field = el('input', { id: 'api-key', type: 'password', required: true, autocomplete: 'current-password' });
    const error = el('p', { class: 'error', id: 'key-error', role: 'alert', hidden: true });
    const submit = async (event) => {
      event.preventDefault();
      const state = await this.book.unlock(field.value.trim());
      if (state === 'ready') return this.onDone();
      if (state === 'no-node') return this.show('no-node');
      return this.fail(error, '密钥不对。它在核验程序的 --api-key-file 文件里，请向管理这台电脑的人索取。');
    };
    this.page('请输入访问密钥', el('p', { text: '核验程序要密钥才能使用，只问这一次。' }),
      el('form', { class: 'stack', id: 'key-form', on: { submit } },
        el('label', { for: 'api-key', text: '访问密钥' }), field, error,
        el('button', { type: 'submit', class: 'main', text: '继续' })));
  }

  fail(line, text) {
    line.textContent = text;
    line.hidden = false;
  }
}

/** A key in groups of four, four a row, to be compared with paper. */
export function fingerprint(hex) {
  const groups = hex.match(/.{4}/g) || [];
  return el('code', { class: 'fingerprint', id: 'root-fingerprint' }, groups.map((group) => el('span', { text: `${group} ` })));
}
