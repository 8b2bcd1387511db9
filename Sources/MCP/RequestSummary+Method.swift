extension RequestSummary {
    /// The method by what its text says, in the body that was read: some clients write `tools\/call`. Nil if the text is malformed.
    package func plainMethod(in body: Span<UInt8>) -> MCPMethod? {
        let content = body.extracting(methodText)
        guard JSONText.hasEscape(content) else { return method }
        return JSONText.unescaped(content).map { MCPMethod($0.span) }
    }

    /// Whether the method, and the name of what it is about, have neither a NUL, at which some readers end a text, nor half of a
    /// surrogate pair, which some drop.
    package func hasSoundTexts(in body: Span<UInt8>) -> Bool {
        FoldedName.isSound(body.extracting(methodText))
            && (name.map { FoldedName.isSound(body.extracting($0)) } ?? true)
    }
}
