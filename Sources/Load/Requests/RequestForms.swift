import HTTP
import Reactor

/// The requests of one workload, ready but for what belongs to the call: its id, its session's fields, its target.
///
/// One text and ranges into it rather than an array each: reading them counts no references.
struct RequestForms: ~Copyable {
    /// One request of the workload.
    struct Form: Sendable {
        /// Method, space.
        var verb = ByteRange.empty
        /// The field lines of HTTP/1.1 that all requests of the kind have, through the CRLF of the last.
        var lines = ByteRange.empty
        /// The body; empty where there is none.
        var body = ByteRange.empty
        /// `Content-Length: N`, CRLF, CRLF.
        var ending = ByteRange.empty
        /// Where in the body the id stands, as digits to be written over; -1 where it does not.
        var firstID = -1
        var secondID = -1
        /// The same fields by name (in lower case) and value, for HTTP/2.
        var fields: [LoadPlan.Header] = []
    }

    var text = ByteBuffer()
    private var forms = [Form](repeating: Form(), count: RequestKind.allCases.count)
    /// Path and query where the session does not say otherwise, followed by ` HTTP/1.1` and CRLF.
    private(set) var target = ByteRange.empty
    private(set) var version = ByteRange.empty

    subscript(kind: RequestKind) -> Form { forms[Int(kind.rawValue)] }

    init(_ plan: LoadPlan, _ workload: Workload) {
        let texts = RequestTexts(plan, workload)
        target = add(plan.target.path)
        version = add(" HTTP/1.1\r\n")
        for kind in RequestKind.allCases {
            forms[Int(kind.rawValue)] = make(kind, texts, plan)
        }
    }

    /// The body of a request with `id` in its place, appended to `buffer`.
    func appendBody(_ kind: RequestKind, id: UInt64, to buffer: inout ByteBuffer) {
        appendBody(forms[Int(kind.rawValue)], id, &buffer)
    }

    /// Appends a whole request of HTTP/1.1. `session`: the field lines of its session, each with CRLF; `path`: the
    /// target the server named, empty for the plan's.
    func append(
        _ kind: RequestKind, id: UInt64, session: borrowing ByteBuffer, path: borrowing ByteBuffer,
        to buffer: inout ByteBuffer
    ) {
        let form = forms[Int(kind.rawValue)]
        buffer.append(text, form.verb)
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
        CallID.write(id, into: &span, at: 0)
        buffer.overwrite(at: start + form.firstID, with: digits.span)
        if form.secondID >= 0 { buffer.overwrite(at: start + form.secondID, with: digits.span) }
    }

    /// The header fields of every kind of request, for HTTP/2.
    func fields(_ target: Target) -> HTTP2RequestForms {
        HTTP2RequestForms(
            RequestKind.allCases.map { kind in
                let form = self[kind]
                var fields = form.fields.map { (name: $0.name.lowercased(), value: $0.value) }
                if !form.body.isEmpty { fields.append(("content-length", "\(form.body.count)")) }
                return HTTP2RequestForms.Form(
                    method: "\(kind.method)".uppercased(), scheme: target.isSecure ? "https" : "http",
                    authority: target.authority, path: target.path, fields: fields)
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
        form.verb = add("\(kind.method)".uppercased() + " ")
        var lines = "Host: \(plan.target.authority)\r\n"
        for field in form.fields { lines += "\(field.name): \(field.value)\r\n" }
        if texts.closes { lines += "Connection: close\r\n" }
        form.lines = add(lines)
        let body = texts.body(kind)
        form.ending = add(body.isEmpty ? "\r\n" : "Content-Length: \(body.utf8.count)\r\n\r\n")
        form.body = add(body)
        let places = RequestTexts.places(of: RequestTexts.idPlace, in: body)
        form.firstID = places.first ?? -1
        form.secondID = places.dropFirst().first ?? -1
        return form
    }
}
