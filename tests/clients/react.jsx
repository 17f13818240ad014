// The contact form of @formspree/react's guide, with the endpoint of another server.
import React from 'react';
import { createRoot } from 'react-dom/client';
import { useForm, ValidationError } from '@formspree/react';

const asked = new URLSearchParams(location.search);

function Field({ label, name, errors, ...more }) {
  return (
    <>
      <label htmlFor={name}>{label}</label>
      <input id={name} name={name} {...more} />
      <ValidationError data-of={name} prefix={label} field={name} errors={errors} />
    </>
  );
}

function ContactForm() {
  const [state, submit] = useForm(asked.get('form'), {
    endpoint: asked.get('endpoint'),
    data: asked.has('id') ? { _id: asked.get('id') } : {},
  });
  if (state.succeeded) return <p role="status">Thanks!</p>;
  // `impatient` leaves out what the guide does against a second click.
  const disabled = state.submitting && !asked.has('impatient');
  return (
    <form onSubmit={submit} noValidate>
      <ValidationError data-of="form" errors={state.errors} />
      <Field label="Name" name="name" errors={state.errors} />
      <Field label="Email" name="email" type="email" errors={state.errors} />
      <Field label="Size" name="size" errors={state.errors} />
      <label><input type="checkbox" name="extras" value="milk" /> Milk</label>
      <label><input type="checkbox" name="extras" value="lemon" /> Lemon</label>
      <label htmlFor="file">File</label>
      <input id="file" name="file" type="file" />
      <button type="submit" disabled={disabled}>Send</button>
    </form>
  );
}

createRoot(document.getElementById('root')).render(<ContactForm />);
