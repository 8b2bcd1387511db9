import HTTP
import Reactor

/// The request templates of one workload. The id, the session's fields and the target are filled in for each call.
///
/// All templates are ranges of one buffer, so that composing a request does no reference counting.
struct RequestForms: ~Copyable {
    /// The template of one kind of request.
    struct Form: Sendable {
        /// The method and a space.
        var method = ByteRange.empty
        /// The HTTP/1.1 field lines that all requests of the kind have, each with CRLF.
        var lines = ByteRange.empty
        /// The body; empty if there is none.
        var body = ByteRange.empty
        /// `Content-Length: N`, CRLF, CRLF.
        var ending = ByteRange.empty
        /// Offset in the body of the id's placeholder; -1 if there is none.
        var firstID = -1
        /// Offset of a second placeholder; -1 if there is none.
        var secondID = -1
        /// The same fields by name and value, for HTTP/2.
        var fields: [LoadPlan.Header] = []
    }

    /// The bytes of all templates.
    var text = ByteBuffer()
    private var forms = [Form](repeating: Form(), count: RequestKind.allCases.count)
    /// Path and query, unless the session has a target of its own.
    private(set) var target = ByteRange.empty
    /// ` HTTP/1.1` and CRLF.
    private(set) var version = ByteRange.empty

    subscript(kind: RequestKind) -> Form { forms[Int(kind.rawValue)] }

    init(_ plan: LoadPlan, _ workload: Workload) {
        let texts = RequestTexts(plan, workload)
        target = add(plan.target.path(for: workload))
        version = add(" HTTP/1.1\r\n")
        for kind in RequestKind.allCases {
            forms[Int(kind.rawValue)] = make(kind, texts, plan)
        }
    }

    /// Appends the body of a request with `id` filled in.
    func appendBody(_ kind: RequestKind, id: UInt64, to buffer: inout ByteBuffer) {
        appendBody(forms[Int(kind.rawValue)], id, &buffer)
    }

    /// Appends an HTTP/1.1 request. `session`: the session's field lines, each with CRLF. `path`: the session's target,
    /// empty for the plan's.
    func append(
        _ kind: RequestKind, id: UInt64, session: borrowing ByteBuffer, path: borrowing ByteBuffer,
        to buffer: inout ByteBuffer
    ) {
        let form = forms[Int(kind.rawValue)]
        buffer.append(text, form.method)
        if path.isEmpty { buffer.append(text, target) } else { buffer.append(path) }
        buffer.append(text, version)
        buffer.append(text, form.lines)
        buffer.append(session)
        buffer.append(text, form.ending)
        if !form.body.isEmpty { appendBody(form, id, &buffer) }
    }

    private func appendBody(_ form: Form, _ id: UInt64, _ buffer: inout ByteBuffer) {
        let start = buffer.count
        buffer.append(text, form.body)
        guard form.firstID >= 0 else { return }
        var digits = InlineArray<13, UInt8>(repeating: 0)
        var span = digits.mutableSpan
        CallIDGenerator.write(id, into: &span, at: 0)
        buffer.overwrite(at: start + form.firstID, with: digits.span)
        if form.secondID >= 0 { buffer.overwrite(at: start + form.secondID, with: digits.span) }
    }

    /// The header fields of every kind of request, for HTTP/2 (names in lower case, RFC 9113 section 8.2).
    func fields(_ target: Target) -> HTTP2RequestForms {
        let path = String(decoding: text.span.extracting(self.target.range).bytesArray, as: UTF8.self)
        return HTTP2RequestForms(
            RequestKind.allCases.map { kind in
                let form = self[kind]
                var fields = form.fields.map { (name: $0.name.lowercased(), value: $0.value) }
                if !form.body.isEmpty { fields.append(("content-length", "\(form.body.count)")) }
                return HTTP2RequestForms.Form(
                    method: "\(kind.method)".uppercased(), scheme: target.isSecure ? "https" : "http",
                    authority: target.authority, path: path, fields: fields)
            })
    }

    private mutating func add(_ string: String) -> ByteRange {
        let start = text.count
        text.append(string)
        return ByteRange(start: start, count: text.count - start)
    }

    private mutating func make(_ kind: RequestKind, _ texts: RequestTexts, _ plan: LoadPlan) -> Form {
        var form = Form()
        form.fields = texts.fields(kind)
        form.method = add("\(kind.method)".uppercased() + " ")
        var lines = "Host: \(plan.target.authority)\r\n"
        for field in form.fields { lines += "\(field.name): \(field.value)\r\n" }
        if texts.closes { lines += "Connection: close\r\n" }
        form.lines = add(lines)
        let body = texts.body(kind)
        form.ending = add(body.isEmpty ? "\r\n" : "Content-Length: \(body.utf8.count)\r\n\r\n")
        form.body = add(body)
        let offsets = RequestTexts.offsets(of: RequestTexts.idPlaceholder, in: body)
        form.firstID = offsets.first ?? -1
        form.secondID = offsets.dropFirst().first ?? -1
        return form
    }
}
