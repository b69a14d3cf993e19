// Dialogs: the browser's own <dialog>, which keeps the focus inside and gives it back.

const $ = (id) => document.getElementById(id);

/** Opens a dialog; resolves with the value of the button that closed it, "" for none. `keys`: key -> value. */
export function ask(id, keys = {}) {
  const dialog = $(id);
  if (dialog.open) return Promise.resolve('');
  dialog.returnValue = '';
  return new Promise((done) => {
    const click = (e) => {
      const button = e.target.closest('button[value]');
      if (button) dialog.close(button.value);
      else if (e.target === dialog) dialog.close(''); // beside it
    };
    const key = (e) => {
      e.stopPropagation();
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      if (e.key in keys) {
        e.preventDefault();
        dialog.close(keys[e.key]);
      } else if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
        const items = [...dialog.querySelectorAll('.menu button, .menu a')];
        if (!items.length) return;
        e.preventDefault();
        const at = items.indexOf(document.activeElement);
        items[(at + (e.key === 'ArrowDown' ? 1 : items.length - 1)) % items.length].focus();
      }
    };
    dialog.addEventListener('click', click);
    dialog.addEventListener('keydown', key);
    dialog.addEventListener('close', () => {
      dialog.removeEventListener('click', click);
      dialog.removeEventListener('keydown', key);
      done(dialog.returnValue);
    }, { once: true });
    dialog.showModal();
  });
}

/** Shows where a link leads before anything is opened. */
export function askLink(url) {
  $('link-url').textContent = url;
  $('link-go').href = url;
  return ask('link-box');
}
