extension RequestSummary {
    /// The method by what its text says, in the body that was read: some clients write `tools\/call`. Nil if the text is malformed.
    package func plainMethod(in body: Span<UInt8>) -> MCPMethod? {
        let content = body.extracting(methodText)
        guard JSONText.hasEscape(content) else { return method }
        return JSONText.unescaped(content).map { MCPMethod($0.span) }
    }
}
