//! The tags `capture`, `ifchanged` and `case`, as Liquid's standard library has them: what they hold is counted while they hold it.

use std::io::{self, Write};

use liquid_core::error::{ResultLiquidExt, ResultLiquidReplaceExt};
use liquid_core::model::{KString, Value, ValueViewCmp};
use liquid_core::parser::{BlockElement, TryMatchToken};
use liquid_core::{
    BlockReflection, Expression, Language, ParseBlock, Renderable, Result, Runtime, TagBlock, TagTokenIter, Template,
};

use super::meter::{Excess, Gauge, Held, MAX_VALUE, Meter};

macro_rules! blocks {
    ($($(#[$doc:meta])* $block:ident $start:literal $end:literal,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub(super) struct $block;

        impl BlockReflection for $block {
            fn start_tag(&self) -> &str {
                $start
            }

            fn end_tag(&self) -> &str {
                $end
            }

            fn description(&self) -> &str {
                ""
            }
        }
    )*};
}

blocks! {
    /// `{% capture name %}`.
    CaptureBlock "capture" "endcapture",
    /// `{% ifchanged %}`.
    IfChangedBlock "ifchanged" "endifchanged",
    /// `{% case value %}`.
    CaseBlock "case" "endcase",
}

/// Takes what a block renders to, as long as it is no larger than a value may be.
struct Captured<'m> {
    bytes: Vec<u8>,
    held: Held<'m>,
    meter: &'m Meter,
}

impl<'m> Captured<'m> {
    fn render(template: &Template, runtime: &dyn Runtime, meter: &'m Meter) -> Result<(String, Held<'m>)> {
        let mut captured = Self { bytes: Vec::new(), held: Held::new(meter, 0), meter };
        template.render_to(&mut captured, runtime)?;
        meter.check()?;
        // Liquid only writes whole strings.
        Ok((String::from_utf8_lossy(&captured.bytes).into_owned(), captured.held))
    }
}

impl Write for Captured<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.meter.touch(bytes.len());
        if self.bytes.len() + bytes.len() > MAX_VALUE {
            self.meter.exceed(Excess::Value);
        }
        if self.meter.exceeded().is_some() {
            return Err(io::Error::other("too much text"));
        }
        self.held.grow(bytes.len());
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ParseBlock for CaptureBlock {
    fn parse(
        &self,
        mut arguments: TagTokenIter<'_>,
        mut tokens: TagBlock<'_, '_>,
        options: &Language,
    ) -> Result<Box<dyn Renderable>> {
        let name = arguments.expect_next("Identifier expected")?.expect_identifier().into_result()?;
        let name = KString::from_ref(name);
        arguments.expect_nothing()?;
        let template = Template::new(tokens.parse_all(options)?);
        tokens.assert_empty();
        Ok(Box::new(Capture { name, template }))
    }

    fn reflection(&self) -> &dyn BlockReflection {
        self
    }
}

#[derive(Debug)]
struct Capture {
    name: KString,
    template: Template,
}

impl Renderable for Capture {
    fn render_to(&self, _: &mut dyn Write, runtime: &dyn Runtime) -> Result<()> {
        let meter = Gauge::of(runtime);
        let (text, held) = Captured::render(&self.template, runtime, &meter)?;
        drop(held);
        runtime.set_global(self.name.clone(), Value::scalar(text));
        meter.check()
    }
}

impl ParseBlock for IfChangedBlock {
    fn parse(
        &self,
        mut arguments: TagTokenIter<'_>,
        mut tokens: TagBlock<'_, '_>,
        options: &Language,
    ) -> Result<Box<dyn Renderable>> {
        arguments.expect_nothing()?;
        let template = Template::new(tokens.parse_all(options)?);
        tokens.assert_empty();
        Ok(Box::new(IfChanged { template }))
    }

    fn reflection(&self) -> &dyn BlockReflection {
        self
    }
}

#[derive(Debug)]
struct IfChanged {
    template: Template,
}

/// The rendered text of the last of these blocks.
#[derive(Debug, Default)]
struct LastText(Option<String>);

impl Renderable for IfChanged {
    fn render_to(&self, writer: &mut dyn Write, runtime: &dyn Runtime) -> Result<()> {
        let meter = Gauge::of(runtime);
        let (text, _held) = Captured::render(&self.template, runtime, &meter)?;
        let before = runtime.registers().get_mut::<LastText>().0.replace(text.clone());
        if before.as_ref() != Some(&text) {
            writer.write_all(text.as_bytes()).replace("Failed to render")?;
        }
        Ok(())
    }
}

impl ParseBlock for CaseBlock {
    fn parse(
        &self,
        mut arguments: TagTokenIter<'_>,
        mut tokens: TagBlock<'_, '_>,
        options: &Language,
    ) -> Result<Box<dyn Renderable>> {
        let target = arguments.expect_next("Value expected.")?.expect_value().into_result()?;
        arguments.expect_nothing()?;
        let (mut cases, mut otherwise) = (Vec::new(), None);
        let (mut values, mut body): (Option<Vec<Expression>>, _) = (None, Vec::new());
        while let Some(element) = tokens.next()? {
            match element {
                BlockElement::Tag(mut tag) if tag.name() == "when" => {
                    let before = values.replace(alternatives(tag.tokens())?);
                    let template = Template::new(std::mem::take(&mut body));
                    // The text before the first `when` is nobody's.
                    cases.extend(before.map(|values| (values, template)));
                }
                BlockElement::Tag(mut tag) if tag.name() == "else" => {
                    tag.tokens().expect_nothing()?;
                    otherwise = Some(Template::new(tokens.parse_all(options)?));
                    break;
                }
                element => body.push(element.parse(&mut tokens, options)?),
            }
        }
        cases.extend(values.map(|values| (values, Template::new(body))));
        tokens.assert_empty();
        Ok(Box::new(Case { target, cases, otherwise }))
    }

    fn reflection(&self) -> &dyn BlockReflection {
        self
    }
}

/// The values of a `when`, between `or` or commas.
fn alternatives(arguments: &mut TagTokenIter<'_>) -> Result<Vec<Expression>> {
    let mut value = || arguments.expect_next("Value expected")?.expect_value().into_result();
    let mut values = vec![value()?];
    while let Some(token) = arguments.next() {
        if let TryMatchToken::Fails(token) = token.expect_str("or") {
            token.expect_str(",").into_result_custom_msg("\"or\" or \",\" expected.")?;
        }
        values.push(arguments.expect_next("Value expected")?.expect_value().into_result()?);
    }
    arguments.expect_nothing()?;
    Ok(values)
}

#[derive(Debug)]
struct Case {
    target: Expression,
    cases: Vec<(Vec<Expression>, Template)>,
    otherwise: Option<Template>,
}

impl Renderable for Case {
    fn render_to(&self, writer: &mut dyn Write, runtime: &dyn Runtime) -> Result<()> {
        let meter = Gauge::of(runtime);
        let target = self.target.evaluate(runtime)?;
        let _held = Held::new(&meter, meter.value(target.as_view()));
        let trace = || KString::from(format!("{{% case {} %}}", self.target));
        for (values, template) in &self.cases {
            for value in values {
                meter.step(1);
                meter.check()?;
                if value.evaluate(runtime)? == ValueViewCmp::new(target.as_view()) {
                    return template.render_to(writer, runtime).trace_with(trace);
                }
            }
        }
        self.otherwise.as_ref().map_or(Ok(()), |otherwise| otherwise.render_to(writer, runtime).trace_with(trace))
    }
}

#[cfg(test)]
mod tests {
    use liquid_core::parser;
    use liquid_core::runtime::RuntimeBuilder;
    use liquid_lib::stdlib;

    use super::*;

    /// The results of both implementations for a text.
    fn rendered(text: &str) -> [Option<String>; 2] {
        let with = |blocks: [Box<dyn ParseBlock>; 3]| {
            let mut language = Language::empty();
            for block in blocks {
                language.blocks.register(block.reflection().start_tag().to_owned(), block);
            }
            language.blocks.register("for".into(), stdlib::ForBlock.into());
            let template = Template::new(parser::parse(text, &language).ok()?);
            template.render(&RuntimeBuilder::new().build()).ok()
        };
        let ours: [Box<dyn ParseBlock>; 3] = [Box::new(CaptureBlock), Box::new(IfChangedBlock), Box::new(CaseBlock)];
        [with(ours), with([stdlib::CaptureBlock.into(), stdlib::IfChangedBlock.into(), stdlib::CaseBlock.into()])]
    }

    #[test]
    fn blocks_render_what_liquids_own_render() {
        for text in [
            "{% capture a %}x{% capture b %}y{% endcapture %}{{ b }}z{% endcapture %}{{ a }}{{ b }}",
            "{% capture 'a' %}{% endcapture %}",
            "{% capture a b %}{% endcapture %}",
            "{% for i in (1..4) %}{% ifchanged %}{% case i %}{% when 1, 2 %}a{% else %}b{% endcase %}{% endifchanged %}{% endfor %}",
            "{% ifchanged a %}{% endifchanged %}",
            "{% case 2 %}nobody's{% when 1 %}a{% when 3 or 2 %}b{% when 2 %}c{% endcase %}",
            "{% case 'x' %}{% when 1 %}a{% endcase %}.",
            "{% case 'x' %}{% else %}a{% endcase %}",
            "{% case 'x' %}{% else %}a{% else %}b{% endcase %}",
            "{% case 'x' %}{% else a %}a{% endcase %}",
            "{% case 'x' %}{% when %}a{% endcase %}",
            "{% case 'x' %}{% when 1 2 %}a{% endcase %}",
            "{% case 'x' 1 %}{% endcase %}",
            "{% case nil %}{% when empty %}a{% when nil %}b{% endcase %}",
        ] {
            let [ours, theirs] = rendered(text);
            assert_eq!(ours, theirs, "{text}");
        }
    }
}
