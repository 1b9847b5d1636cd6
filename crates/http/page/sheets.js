// The two sheets over the scanner: what was given, and the settings.

import { Camera } from './camera.js';
import { clockText, dayText, el, fill, grouped, nowSeconds } from './format.js';
import { HISTORY_DAYS } from './ledger.js';
import { isPersistent } from './local.js';
import { fingerprint } from './welcome.js';
import { useState } from './words.js';

const ARMED_MS = 5000;
// A mistake is noticed soon: within the hour one tap takes it back, later the tap is more likely the mistake.
const FRESH_S = 3600;
const DAY_S = 86_400;
const LIMITS = [[null, '按联合会的有效期'], [DAY_S, '1 天'], [3 * DAY_S, '3 天'], [7 * DAY_S, '7 天']];

let install = null;
addEventListener('beforeinstallprompt', (event) => {
  event.preventDefault();
  install = event;
});

export const sheetOpen = () => Boolean(document.querySelector('dialog[open]'));

export function closeSheets() {
  for (const sheet of document.querySelectorAll('dialog[open]')) sheet.close();
}

class Sheet {
  constructor(dialog, parts) {
    Object.assign(this, { dialog }, parts);
  }

  async open() {
    await this.draw();
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.scrollTop = 0;
  }

  frame(id, title, ...children) {
    const close = el('button', { type: 'button', class: 'close', text: '关闭', on: { click: () => this.dialog.close() } });
    fill(this.dialog, el('header', { class: 'sheet-head' }, el('h2', { id, text: title }), close),
      el('div', { class: 'sheet-body' }, children));
  }

  /** A button that asks once more before it does something that cannot be taken back. */
  armed(props, question, act) {
    let armed = false;
    const { text } = props;
    const button = el('button', { type: 'button', ...props });
    button.addEventListener('click', async () => {
      if (armed) {
        armed = false;
        button.textContent = text;
        await act();
        return;
      }
      armed = true;
      button.textContent = question();
      setTimeout(() => {
        armed = false;
        button.textContent = text;
      }, ARMED_MS);
    });
    return button;
  }
}

/** Number, offer, time and masked name of what was given. */
export class History extends Sheet {
  async draw() {
    let uses;
    try {
      uses = await this.book.history();
    } catch (error) {
      this.frame('history-title', '记录', el('p', { class: 'error', text: error.message }));
      return;
    }
    const days = new Map();
    for (const use of uses) {
      const day = dayText(use.at * 1000);
      days.set(day, [...(days.get(day) || []), use]);
    }
    const lists = [...days].map(([day, list]) => [
      el('h3', { text: `${day} · ${list.filter((use) => !use.reversed).length} 笔` }),
      el('ul', { class: 'uses' }, list.map((use) => this.row(use))),
    ]);
    this.frame('history-title', '记录',
      uses.length ? lists : el('p', { class: 'quiet', text: '还没有给过优惠' }),
      this.book.canClear() ? el('p', { class: 'quiet', text: `记录只留 ${HISTORY_DAYS} 天。清空后看不到了；没有上报的仍会上报，次数限制照常计算。` }) : null,
      this.book.canClear() && uses.length
        ? this.armed({ id: 'clear-history', class: 'wide', text: '清空记录' }, () => '再点一次，确认清空', async () => {
          await this.book.clearHistory();
          await this.draw();
        }) : null);
  }

  row(use) {
    const { key, word } = useState(use);
    const props = { type: 'button', class: 'undo', data: { undo: use.id }, text: '撤销' };
    const takeBack = async () => {
      await this.undo(use);
      await this.draw();
    };
    let undo = null;
    if (!use.reversed && use.state !== 'refused') {
      undo = nowSeconds() - use.at < FRESH_S ? el('button', { ...props, on: { click: takeBack } })
        : this.armed(props, () => '确认撤销？', takeBack);
    }
    return el('li', { class: 'use', data: { use: use.id, state: key } },
      el('div', {},
        el('p', { class: 'use-title', text: use.title }),
        el('p', { class: 'use-who' }, el('span', { text: clockText(use.at * 1000) }), ' ',
          use.holder ? `${use.holder} ` : '', el('span', { class: 'figures', text: grouped(use.number) })),
        el('p', { class: 'use-state', text: word })),
      undo);
  }
}

/** Sound, vibration, camera, age limit, who this device is, and leaving. */
export class Settings extends Sheet {
  async draw() {
    const local = this.book.mode === 'federation';
    const cameras = await Camera.list();
    const persistent = local ? await isPersistent() : null;
    this.frame('settings-title', '设置',
      this.toggle('sound', '声音'),
      'vibrate' in navigator ? this.toggle('vibration', '振动') : null,
      cameras.length > 1 && cameras[0].label ? this.choice('camera', '镜头',
        [['', '自动（后置）'], ...cameras.map((camera, place) => [camera.deviceId, camera.label || `镜头 ${place + 1}`])]) : null,
      local ? this.choice('limit', '数据超过多久就要核实', LIMITS) : null,
      el('h3', { text: '本机' }),
      el('dl', { class: 'facts' }, this.book.facts().map(([term, value]) => [el('dt', { text: term }), el('dd', { text: value })]),
        this.book.rootHex() ? [el('dt', { text: '根公钥' }), el('dd', {}, fingerprint(this.book.rootHex()))] : null),
      persistent === false ? el('p', { class: 'quiet', text: '浏览器可能在空间不足时清除本页数据。把本页添加到主屏幕，会更稳妥。' }) : null,
      el('button', { type: 'button', class: 'wide', id: 'sync-now', text: '立即同步', on: { click: () => this.syncNow() } }),
      this.installButton(),
      local ? this.leaveButton() : null);
  }

  toggle(name, label) {
    const box = el('input', { type: 'checkbox', id: `set-${name}`, checked: this.settings[name] });
    box.addEventListener('change', async () => {
      await this.change({ [name]: box.checked });
      if (box.checked) this.signal('accept');
    });
    return el('label', { class: 'setting', for: `set-${name}` }, el('span', { text: label }), box);
  }

  choice(name, label, options) {
    const select = el('select', { id: `set-${name}` }, options.map(([value, text]) =>
      el('option', { value: JSON.stringify(value), text, selected: value === this.settings[name] })));
    select.addEventListener('change', () => this.change({ [name]: JSON.parse(select.value) }));
    return el('label', { class: 'setting', for: `set-${name}` }, el('span', { text: label }), select);
  }

  async syncNow() {
    const button = document.getElementById('sync-now');
    button.disabled = true;
    button.textContent = '正在同步…';
    await this.book.syncNow();
    await this.draw();
    const { online, problem } = this.book.standing();
    document.getElementById('sync-now').textContent = problem ? problem.message : online ? '已同步' : '没有网络，稍后会自动同步';
  }

  installButton() {
    if (matchMedia('(display-mode: standalone)').matches) return null;
    if (!install) return el('p', { class: 'quiet', text: '可在浏览器菜单里选「添加到主屏幕」，像应用一样打开。' });
    const ask = async () => {
      await install.prompt();
      install = null;
      await this.draw();
    };
    return el('button', { type: 'button', class: 'wide', id: 'install', text: '安装到主屏幕', on: { click: ask } });
  }

  leaveButton() {
    // With uses unsent they would be lost: asked a third time.
    let asked = 0;
    return this.armed({ id: 'leave', class: 'wide danger', text: '退出并删除本机数据' }, () => '再点一次，确认退出', async () => {
      const { unsent } = this.book.standing();
      const button = document.getElementById('leave');
      if (unsent && asked === 0) {
        asked = 1;
        button.textContent = `还有 ${unsent} 笔没有上报，退出就丢失了。仍要退出，请再点两次`;
        return;
      }
      await this.book.leave();
      this.dialog.close();
      this.left();
    });
  }
}
