/* The search of the site for pages that are opened from a disk, where a browser starts no worker: the script of the
   worker runs in a hidden frame instead. Pages that a server hands out are left alone. */
if (location.protocol === "file:") {
  const load = (inner, url) => new Promise((done, failed) => {
    const script = inner.document.createElement("script")
    script.src = new URL(url, location.href).href
    script.onload = done
    script.onerror = failed
    inner.document.body.append(script)
  })

  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      this.frame = document.createElement("iframe")
      this.frame.hidden = true
      document.body.append(this.frame)
      const inner = this.frame.contentWindow
      inner.document.open()
      inner.document.write("<!doctype html><body></body>")
      inner.document.close()
      inner.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
      inner.importScripts = (...urls) =>
        urls.reduce((before, next) => before.then(() => load(inner, next)), Promise.resolve())
      this.begun = load(inner, url)
    }

    postMessage(data) {
      const inner = this.frame.contentWindow
      this.begun.then(() => inner.dispatchEvent(new inner.MessageEvent("message", { data })))
    }

    terminate() {
      this.frame.remove()
    }
  }
}
